/*
 * parsers/container.h - what container engines write around a line.
 * One job: open the wrapping of Docker's json-file and of CRI.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "parsers/parser_internal.h"

/* A line taken out of its wrapping. */
struct unwrapped {
	struct str inner;
	bool whole; /* else a part: the line goes on in the next one of this stream */
	bool timed;
	struct wall time;
	struct str where;          /* stdout, stderr, or empty */
	const struct field *extra; /* further members, such as Docker's attrs, in the arena */
	size_t n_extra;
};

enum { CONTAINER_E_NONE = 1 };

/* How a line begins that Docker wrapped. */
#define CONTAINER_DOCKER_HEAD STR("{\"log\":")

/**
 * container_docker(c, line, arena, ret), container_cri(c, line, ret):
 * Open the wrapping; the line begins with CONTAINER_DOCKER_HEAD, or with a digit.  What is given borrows from the line and the arena.
 * Errors: CONTAINER_E_NONE (no such wrapping), -ENOMEM.
 */
int container_docker(struct context *c, struct str line, struct arena *arena,
    struct unwrapped *ret);
int container_cri(struct context *c, struct str line, struct unwrapped *ret);
