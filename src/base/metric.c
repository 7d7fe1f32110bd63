/*
 * base/metric.c - numbers for Prometheus.
 * One job: its text format.
 * Floor: 0.
 */
#include "base/metric.h"

void
metric_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
metric_put(struct buf *out, const char *name, const char *type, const char *help, double v)
{
	metric_head(out, name, type, help);
	buf_printf(out, "%s %.17g\n", name, v);
}

void
metric_label(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' || s.p[i] == '"')
			buf_byte(out, '\\');
		if (s.p[i] == '\n')
			buf_c(out, "\\n");
		else
			buf_byte(out, s.p[i]);
	}
}
