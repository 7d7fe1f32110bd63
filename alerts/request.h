/*
 * alerts/request.h - a request without HTTP.
 * One job: what was asked, and what is answered, for whoever carries it.
 * Floor: 4 (uses base).
 */
#pragma once

#include "alerts/label.h"

/* Borrowed; lives until it is answered. */
struct api_request {
	struct str method; /* GET, POST, DELETE */
	struct str path;   /* /api/v2/silences */
	struct label *params;
	size_t n_params; /* decoded, in order; names may repeat */
	struct str body;
	struct str who; /* peer, for the log */
};

struct api_answer {
	unsigned status;
	struct buf body;
	const char *type; /* application/json, text/plain */
};

/** api_param(req, name, ret): the first value of that name; false: it is not there. */
bool api_param(const struct api_request *req, const char *name, struct str *ret);
