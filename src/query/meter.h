/*
 * query/meter.h - what stages do, counted.
 * One job: a stage before each stage that notes what goes in and how long it takes, for explain.
 * Floor: 3 (uses base).
 */
#pragma once

#include "query/stage.h"

/** meter_new(env, i, first): put a meter for env->notes[i] before *first, which becomes the meter. */
int meter_new(struct query_env *env, size_t i, struct stage **first);
