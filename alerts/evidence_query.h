/*
 * alerts/evidence_query.h - questions for evidence.
 * One job: the query whose rows stand behind an alert.
 * Floor: 4 (uses logsql, base).
 */
#pragma once

#include "alerts/evidence.h"

/**
 * evidence_query(rule, alert, out):
 * The rule's filter and row pipes, narrowed to the alert's own labels.  Labels that are buckets are left out: their
 * rows have other values.
 */
void evidence_query(const struct rule *rule, const struct route_alert *alert, struct buf *out);

/** evidence_paste(query, from, to, out): a command line of weir that shows these rows, for a shell; whole seconds. */
void evidence_paste(struct str query, struct wall from, struct wall to, struct buf *out);
