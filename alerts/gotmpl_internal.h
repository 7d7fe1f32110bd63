/*
 * alerts/gotmpl_internal.h - shared by gotmpl*.c.
 * One job: what a template is made of, and the values that it works with.
 * Floor: 4 (uses base).
 *
 *   text --tmpl_lex--> tokens --gotmpl_parse--> nodes --gotmpl_run--> text
 */
#pragma once

#include "alerts/gotmpl.h"
#include "base/wall.h"

enum {
	TMPL_DEPTH_MAX = 50,        /* blocks and brackets in each other */
	TMPL_VARS_MAX = 64,         /* at once */
	TMPL_ARGS_MAX = 16,         /* of one function */
	TMPL_MEMORY_MAX = 16 << 20, /* of one run */
};

/* ---- values ---- */

enum tmpl_type {
	TMPL_ANY, /* not known before it runs; of no value */
	TMPL_BOOL,
	TMPL_INT,
	TMPL_FLOAT,
	TMPL_STRING,
	TMPL_MAP,  /* labels, values: text by name */
	TMPL_TIME, /* seconds since the epoch */
	TMPL_ROOT, /* what . is outside of range and with */
};

struct tmpl_value {
	enum tmpl_type type;
	bool b;
	int64_t i;
	double f;
	struct str s;
	struct labels map;
};

/** tmpl_type_name(type): for messages. */
const char *tmpl_type_name(enum tmpl_type type);

/** tmpl_print(out, v): as Go's %v. */
void tmpl_print(struct buf *out, const struct tmpl_value *v);

/** tmpl_true(v): whether if takes it: not empty, not zero. */
bool tmpl_true(const struct tmpl_value *v);

/** tmpl_number(v, ret): a number, or a text that is one. */
bool tmpl_number(const struct tmpl_value *v, double *ret);

/** tmpl_float(out, f, verb, precision): as Go's strconv: verb e, f or g; precision -1: the fewest digits that tell it. */
void tmpl_float(struct buf *out, double f, char verb, int precision);

/** tmpl_time(out, s): as Go prints a time: 2024-05-06 07:08:09.1 +0000 UTC.  False: beyond what it can say. */
bool tmpl_time(struct buf *out, double s);

/* ---- running ---- */

struct tmpl_run {
	const struct gotmpl_data *data;
	struct arena arena;
	struct tmpl_value vars[TMPL_VARS_MAX];
	struct tmpl_value dot;
	unsigned n_steps;
	size_t start; /* of what is written now */
	struct buf *out;
	struct buf *why;
};

/** tmpl_fail(run, fmt, …): returns GOTMPL_E_BAD. */
int tmpl_fail(struct tmpl_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** tmpl_keep(run, text, ret): a text as a value of this run. */
int tmpl_keep(struct tmpl_run *run, const struct buf *text, struct tmpl_value *ret);

/* ---- functions ---- */

typedef int (*tmpl_fn)(struct tmpl_run *run, const struct tmpl_value *args, size_t n,
    struct tmpl_value *ret);

/*
 * Arguments, a letter each: n a number or a text that is one, s a text, m a map, a anything; a '+' behind the last: once or more;
 * '*': any number of it.
 */
struct tmpl_func {
	const char *name;
	const char *args;
	enum tmpl_type ret;
	tmpl_fn fn; /* NULL: a function of Go or Prometheus that is not here: args says why */
};

/** tmpl_func_find(name): NULL: no such. */
const struct tmpl_func *tmpl_func_find(struct str name);
/** tmpl_func_near(name): which it was probably meant to be, or NULL. */
const char *tmpl_func_near(struct str name);

/** tmpl_printf(run, args, n, ret): args[0] is the format. */
int tmpl_printf(struct tmpl_run *run, const struct tmpl_value *args, size_t n,
    struct tmpl_value *ret);
/** tmpl_format_check(format, types, n, why): a format against what is known of its arguments; false and ${why} when they differ. */
bool tmpl_format_check(struct str format, const enum tmpl_type *types, size_t n, struct buf *why);

/* Functions with a file of their own. */
int tmpl_humanize(struct tmpl_run *, const struct tmpl_value *, size_t, struct tmpl_value *);
int tmpl_humanize1024(struct tmpl_run *, const struct tmpl_value *, size_t, struct tmpl_value *);
int tmpl_humanize_duration(struct tmpl_run *, const struct tmpl_value *, size_t,
    struct tmpl_value *);
int tmpl_humanize_percentage(struct tmpl_run *, const struct tmpl_value *, size_t,
    struct tmpl_value *);
int tmpl_humanize_timestamp(struct tmpl_run *, const struct tmpl_value *, size_t,
    struct tmpl_value *);

/* ---- tokens ---- */

enum tmpl_token_kind {
	TOKEN_END,   /* of the text */
	TOKEN_TEXT,  /* outside of {{ }} */
	TOKEN_CLOSE, /* }} */
	TOKEN_WORD,
	TOKEN_FIELD,    /* .name, no blank before it means: of what stands before */
	TOKEN_VARIABLE, /* $name, or $ */
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_SIGN, /* ( ) | , . = := */
};

struct tmpl_token {
	enum tmpl_token_kind kind;
	size_t at;
	struct str text; /* name without '.' and '$'; text decoded */
	bool space;      /* blanks stood before it */
	struct tmpl_value number;
};

struct tmpl_lex {
	struct str text;
	size_t at;
	bool inside; /* between {{ and }} */
	bool trim;   /* the text that follows begins behind blanks */
	struct arena *arena;
	struct tmpl_token token;
	size_t error_at;
	char error[240];
};

/** tmpl_lex_next(l): the next token.  GOTMPL_E_BAD (l->error), -ENOMEM. */
int tmpl_lex_next(struct tmpl_lex *l);
/** tmpl_lex_fail(l, at, fmt, …): returns GOTMPL_E_BAD. */
int tmpl_lex_fail(struct tmpl_lex *l, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- nodes ---- */

enum tmpl_expr_kind { EXPR_CONST, EXPR_DOT, EXPR_ROOT, EXPR_VAR, EXPR_FIELD, EXPR_CALL };

struct tmpl_expr {
	enum tmpl_expr_kind kind;
	enum tmpl_type type; /* as far as it is known */
	size_t at;
	struct tmpl_value value;      /* CONST */
	unsigned var;                 /* VAR: its place */
	struct str name;              /* FIELD */
	struct tmpl_expr *of;         /* FIELD: of what */
	const struct tmpl_func *func; /* CALL */
	struct tmpl_expr **args;
	size_t n_args;
};

enum tmpl_node_kind { NODE_TEXT, NODE_PRINT, NODE_SET, NODE_IF, NODE_WITH, NODE_RANGE };

struct tmpl_node {
	enum tmpl_node_kind kind;
	struct tmpl_node *next;
	struct str text;
	struct tmpl_expr *expr;
	int var, key_var;        /* SET, IF, WITH, RANGE: the place of a variable, -1: none */
	struct tmpl_node *body;  /* IF, WITH, RANGE */
	struct tmpl_node *other; /* else */
};

struct gotmpl {
	struct tmpl_node *first;
};

/** gotmpl_parse_at(text, arena, ret, ret_at, ret_why): gotmpl_parse with the offset of the mistake apart. */
int gotmpl_parse_at(struct str text, struct arena *arena, struct gotmpl **ret, size_t *ret_at,
    struct buf *ret_why);
