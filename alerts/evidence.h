/*
 * alerts/evidence.h - why an alert was sent.
 * One job: ask the store for what stands behind an alert, within bounds of time and size.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#pragma once

#include "alerts/dispatch.h"
#include "alerts/rule.h"

enum {
	EVIDENCE_LINES_MAX = 10, /* sample lines */
	EVIDENCE_PATTERNS_MAX = 8,
	EVIDENCE_TRACE_MAX = 40,     /* rows of the worst request */
	EVIDENCE_VALUE_MAX = 2000,   /* bytes of one text */
	EVIDENCE_TOOK_MAX_MS = 2000, /* all queries of one alert together */
	EVIDENCE_WINDOWS = 24,       /* bars of the histogram */
};

struct evidence_line {
	struct wall time;
	struct str stream, service, level, text;
};
struct evidence_pattern {
	struct str text, sample;
	uint64_t n;
	bool is_new; /* not seen before the window */
};

/* Texts live in the caller's arena. */
struct evidence {
	struct str rule, expr, query; /* query: to paste after "weir query", with its time range */
	struct wall from, to;         /* the window */
	uint64_t n_rows;
	double *bars; /* rows in each of the last windows, oldest first */
	size_t n_bars;
	struct span bar_width;
	struct evidence_line *lines;
	size_t n_lines;
	struct evidence_pattern *patterns;
	size_t n_patterns;
	struct str trace_id;
	struct evidence_line *trace; /* of the worst request */
	size_t n_trace;
	struct str cut; /* what was left out and why; empty: nothing */
};

/** evidence_find(store, rule, alert, now, arena, ret): ${rule} may be NULL (an alert that was posted). */
int evidence_find(const char *store, const struct rule *rule, const struct route_alert *alert,
    struct wall now, struct arena *arena, struct evidence *ret);
