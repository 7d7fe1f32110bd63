/*
 * record/service.h - which service a row is of.
 * One job: say which fields and labels name it, and which of them comes first.
 * Floor: 1 (uses base).
 */
#pragma once

#include "base/buf.h"

enum { SERVICE_RANKS = 10 };

/** service_rank(name): where the field stands among those that name a service, 0 before all others; SERVICE_RANKS: it is none. */
size_t service_rank(struct str name);

/** service_short(s): a unit without ".service", a path without its folders. */
struct str service_short(struct str s);

/** service_of_stream(stream, out): what the labels say, short; a file when there is nothing better, else nothing. */
void service_of_stream(struct str stream, struct buf *out);
