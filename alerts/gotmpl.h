/*
 * alerts/gotmpl.h - templates in labels and annotations.
 * One job: the part of Go's text/template that rule files use; all else is an error before it runs.
 * Floor: 4 (uses base).
 *
 * What is there: {{ $value }} {{ $labels.x }} {{ .Labels.x }} {{ .Value }} {{ $externalLabels.x }} {{ index $labels "x" }},
 * {{ $values.x }} (ours: another result of the same row), variables, if/else if/else/end, range over $labels and $values,
 * with, trim markers, comments, pipelines, parentheses, and or not eq ne lt le gt ge len print printf println, and
 * Prometheus' functions: humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp title toUpper
 * toLower match reReplaceAll stripPort stripDomain safeHtml args toTime parseDuration first value label sortByLabel strvalue
 * where they have a meaning without a query; query and graphLink-like ones are an error that says so.
 * Bound: GOTMPL_OUT_MAX bytes come out, GOTMPL_STEPS_MAX steps are run.
 */
#pragma once

#include "alerts/label.h"

enum { GOTMPL_OUT_MAX = 64 << 10, GOTMPL_STEPS_MAX = 100000 };
enum { GOTMPL_E_BAD = 1 };

struct gotmpl;

/* What a template sees. */
struct gotmpl_data {
	struct labels labels;
	struct labels external; /* $externalLabels: of weir.yaml or none */
	struct labels values;   /* $values: the results of the row by name */
	double value;
};

/**
 * gotmpl_parse(text, arena, ret, ret_why):
 * Errors: GOTMPL_E_BAD (${ret_why}: "line:column: what, what was expected"), -ENOMEM.
 */
int gotmpl_parse(struct str text, struct arena *arena, struct gotmpl **ret, struct buf *ret_why);

/** gotmpl_run(t, data, out): append.  GOTMPL_E_BAD: it failed at run time, ${ret_why} says why; out is as before. */
int gotmpl_run(const struct gotmpl *t, const struct gotmpl_data *data, struct buf *out,
    struct buf *ret_why);

/** gotmpl_names(t, fn, ctx): each name of $labels (${label}) and $values that stands in it; fn returns 0 to go on. */
typedef int (*gotmpl_name_fn)(void *ctx, bool label, struct str name);
int gotmpl_names(const struct gotmpl *t, gotmpl_name_fn fn, void *ctx);
