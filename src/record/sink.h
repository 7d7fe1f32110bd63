/*
 * record/sink.h - where records go.
 * One job: let a source hand records up without knowing who keeps them.
 * Floor: 1 (uses base).
 */
#pragma once

#include "record/record.h"

struct record_sink {
	/* Take n records; all borrowed until it returns.  -errno: none was taken, the source offers them again. */
	int (*put)(void *ctx, const struct record *recs, size_t n);
	void *ctx; /* borrowed; outlives the sink */
};
