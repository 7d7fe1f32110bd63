/*
 * base/metric.h - numbers for Prometheus.
 * One job: its text format.
 * Floor: 0.
 */
#pragma once

#include "base/buf.h"

/** metric_head(out, name, type, help): the two lines before the values of a name. */
void metric_head(struct buf *out, const char *name, const char *type, const char *help);

/** metric_put(out, name, type, help, v): a name with one value and no labels. */
void metric_put(struct buf *out, const char *name, const char *type, const char *help, double v);

/** metric_label(out, s): a label's value without its quotes: backslash, quote and newline are escaped, and no more. */
void metric_label(struct buf *out, struct str s);
