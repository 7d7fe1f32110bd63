/*
 * query/pipe_needs.h - which fields pipes read.
 * One job: from what is read behind a pipe to what is read before it, so that nobody gathers what
 * nobody reads.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include "query/pipe_stage.h"

/** needs_before(p, arena, needs): turn the needs behind ${p} into those before it; never too
 * few. */
int needs_before(const struct pipe *p, struct arena *arena, struct needs *needs);

/** needs_name(n, name): whether it is among them. */
bool needs_name(const struct needs *n, struct str name);

/** needs_wanted(env): of the query's own rows, all fields, and the line if it is asked for. */
struct needs needs_wanted(const struct query_env *env);

/** needs_copy(n, arena, ret): a copy that lives as long as ${arena}. */
int needs_copy(const struct needs *n, struct arena *arena, struct needs *ret);
