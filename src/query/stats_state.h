/*
 * query/stats_state.h - what a stats function has gathered.
 * One job: one state for each group and function: fed by rows, merged, and written as a result.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include "query/pipe_stage.h"
#include "query/stats_exact.h"

/*
 * The meaning of the members is the function's own; all zero is the empty state.  more is memory of
 * the state's own.
 *
 * Sums depend on the rows alone, not on the order of adding: decimals of at most 9 places are added as integers of 128 bits
 * (which 2^34 rows of the greatest value fit), all other finite numbers in full (more: stats_exact.h); infinities and what is
 * no number go to sum, which then is one of these.
 */
struct stats_state {
	uint64_t n;
	double sum;
	int64_t fixed_lo; /* units of 10^-9 */
	int64_t fixed_hi;
	void *more;
};

struct group_coded;

/* One value as a number. */
enum stats_number_kind { NUMBER_NONE, NUMBER_DECIMAL, NUMBER_FLOAT };
struct stats_number {
	enum stats_number_kind kind;
	unsigned scale;
	int64_t v; /* DECIMAL: v / 10^scale */
	double f;
};

/* A batch as the functions see it. */
struct stats_batch {
	struct batch *b;
	struct query_env *env;
	const uint32_t *groups;          /* of each row; NULL while only coded is there */
	const struct group_coded *coded; /* the same by code, all rows; NULL: not to be had */
	struct stats_state *states;      /* of group 0; those of the next are stride further on */
	size_t stride;
	const uint64_t *rows; /* that the function's condition takes; NULL: all */
	int64_t grown;        /* bytes that states took more */
	size_t n_groups;      /* groups are below it */
	uint64_t first_order; /* of the batch's rows, where the source does not number them */
};

struct stats_ops {
	int (*add)(const struct stats_func *f, struct stats_batch *sb);
	/* Put ${from} into ${to}; ${from} is finished afterwards. */
	int (*merge)(const struct stats_func *f, struct stats_state *to, struct stats_state *from);
	int (*put)(const struct stats_func *f, struct stats_state *s, struct buf *out);
	void (*fini)(struct stats_state *s);
	/* Append the state as bytes; read them into an empty state.  What was saved is for this process alone. */
	int (*save)(const struct stats_func *f, struct stats_state *s, struct buf *out);
	int (*load)(const struct stats_func *f, struct scan *in, struct stats_state *s);
	/* Where it pays: two saved states as one, and the result of one; both read what they take.  NULL: load them.
	 * STATS_E_LOAD of put_saved: nothing was read, load it. */
	int (*merge_saved)(const struct stats_func *f, struct scan *a, struct scan *b,
	    struct buf *out);
	int (*put_saved)(const struct stats_func *f, struct scan *in, struct buf *out);
};
enum { STATS_E_LOAD = 1 };

/** stats_ops_of(kind): static. */
const struct stats_ops *stats_ops_of(enum stats_kind kind);

/* The functions by kind of state. */
extern const struct stats_ops stats_count_ops, stats_count_empty_ops, stats_sum_ops, stats_avg_ops,
    stats_rate_ops;
extern const struct stats_ops stats_rate_sum_ops, stats_sum_len_ops, stats_stddev_ops,
    stats_min_ops, stats_max_ops;
extern const struct stats_ops stats_any_ops, stats_row_any_ops, stats_row_ops, stats_field_ops,
    stats_uniq_ops;
extern const struct stats_ops stats_uniq_values_ops, stats_values_ops, stats_json_values_ops,
    stats_histogram_ops;
extern const struct stats_ops stats_quantile_ops;

/** quantile_add_coded(f, sb): the batch by the codes of its rows, without their groups; 1: the values are not to be had so,
 * nothing was added. */
int quantile_add_coded(const struct stats_func *f, struct stats_batch *sb);

static inline struct stats_state *
stats_state_of(const struct stats_batch *sb, size_t row)
{
	return &sb->states[sb->groups[row] * sb->stride];
}

/* When the row came, among all rows of the run. */
static inline uint64_t
stats_order(const struct stats_batch *sb, size_t row)
{
	return batch_order(sb->b, row, sb->first_order);
}

static inline bool
stats_takes(const struct stats_batch *sb, size_t row)
{
	return sb->rows == NULL || bits_get(sb->rows, row);
}

/* The columns that a function's arguments mean. */
struct stats_columns {
	const struct column **cols;
	const struct str *names;
	size_t n;
	bool named; /* all were given by name: empty values count as values */
};
int stats_columns(const struct names *names, struct batch *b, struct stats_columns *ret);

/** stats_numbers(c, b, ret): each row's value as a number; a dictionary's values are read once. */
int stats_numbers(const struct column *c, struct batch *b, const struct stats_number **ret);
struct stats_number stats_number_of(struct str s);
double stats_number_value(const struct stats_number *n);

/** stats_add_number(s, n, grown), stats_sum_value(s, ret), stats_add_sum(to, from): the exact sum in a state; stats_sum_fini
 * frees what it took.  ${n} is a number. */
int stats_add_number(struct stats_state *s, const struct stats_number *n, int64_t *grown);
int stats_sum_value(const struct stats_state *s, double *ret);
int stats_add_sum(struct stats_state *to, struct stats_state *from);
void stats_sum_fini(struct stats_state *s);

/** stats_add_ints(c, sb): the same for the rows of ${sb} by a column of integers of at most 9 places. */
void stats_add_ints(const struct column *c, struct stats_batch *sb);

/** stats_save_n(…), stats_load_n(…): of a state that is a count and no more. */
int stats_save_n(const struct stats_func *f, struct stats_state *s, struct buf *out);
int stats_load_n(const struct stats_func *f, struct scan *in, struct stats_state *s);

/** stats_func_rows(f, env, b, ret): the rows that the function's condition takes; of a switch's default, those that no
 * case takes. */
int stats_func_rows(const struct stats_func *f, struct query_env *env, struct batch *b,
    const uint64_t **ret);

/* Numbers of either sign and texts that may be none, as bytes of a saved state. */
static inline void
stats_save_int(struct buf *out, int64_t v)
{
	buf_varint(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static inline int64_t
stats_load_int(struct scan *in)
{
	uint64_t v = scan_varint(in);

	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

static inline void
stats_save_double(struct buf *out, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	buf_u64(out, bits);
}

static inline double
stats_load_double(struct scan *in)
{
	uint64_t bits = scan_u64(in);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static inline void
stats_save_str(struct buf *out, struct str s)
{
	buf_varint(out, s.n);
	buf_str(out, s);
}

static inline struct str
stats_load_str(struct scan *in)
{
	return scan_bytes(in, scan_varint(in));
}

/* A text of a state's own; NULL is none. */
struct stats_text {
	size_t n;
	uint8_t p[];
};
int stats_text_set(struct stats_text **t, struct str s);
struct str stats_text_of(const struct stats_text *t);
void stats_text_save(struct buf *out, const struct stats_text *t);
int stats_text_load(struct scan *in, struct stats_text **ret);

/** stats_row_json(names, b, row, out): the row's fields that names take, as JSON; empty ones are
 * left out. */
int stats_row_json(const struct stats_columns *c, size_t row, struct buf *out);
