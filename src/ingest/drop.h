/*
 * ingest/drop.h - the drop filter.
 * One job: say of a record whether a source's LogsQL filter takes it out before it is written.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include "base/buf.h"
#include "record/record.h"

struct drop;

enum { DROP_E_FILTER = 1 };

/**
 * drop_new(ret, text, ret_error):
 * Errors: DROP_E_FILTER (not a filter: ${ret_error} gets one line of text), -ENOMEM.
 */
int drop_new(struct drop **ret, struct str text, struct buf *ret_error);
struct drop *drop_free(struct drop *d);
DEFINE_AUTO(struct drop *, drop_free)

/** drop_matches(d, rec): whether the record matches the filter. */
bool drop_matches(struct drop *d, const struct record *rec);
