/*
 * store/tmpl.h - template-coded text.
 * One job: what the tmpl_*.c share: the fixed words of messages once, their variables in columns.
 * Floor: 2 (uses record, base).
 *
 * A token is a run of [A-Za-z0-9._-]; one with a digit in it is a variable (record/skeleton.h has the same
 * rule).  Values with the same bytes between their variables have one template; variable k of a template
 * is a slot, with an encoding of its own.  Values of rare templates stay text.
 */
#pragma once

#include "base/map.h"
#include "store/block_contains.h"
#include "store/enc.h"

enum {
	TMPL_MAX = 4096,      /* templates that are counted in a block; values of more are text */
	TMPL_SLOTS_MAX = 128, /* variables of a value; one with more is text */
	TMPL_USES_MIN = 8,    /* a rarer template does not pay */
	TMPL_ROWS_MIN = 64,   /* values in the block; fewer are text */
	TMPL_VALUE_MAX = 1 << 16,
	TMPL_NUM_TEXT = 24, /* the longest text of a number */
	TMPL_DIGITS_MAX = 18,
	TMPL_FORMS_MAX = 64, /* of IDs in the list that slots share */
};

/* On disk. */
enum tmpl_type {
	SLOT_CONST = 0,
	SLOT_NUM = 1,     /* prefix, canonical number, suffix */
	SLOT_PATTERN = 2, /* fixed length: digits in fixed places */
	SLOT_HEX = 3,     /* lower-case, of one even length */
	SLOT_IPV4 = 4,
	SLOT_DICT = 5,
	SLOT_TEXT = 6,
	SLOT_COMMON = 7, /* refers to the list that all slots of the column share; from version 2 */
};
#define TMPL_DIGIT_MARK '#' /* a digit's place in a pattern; no token contains it */

/* What a scan of a column found.  Row i has template tmpls[i], or TMPL_NONE. */
#define TMPL_NONE UINT32_MAX
struct tmpl_found {
	uint32_t *tmpls;
	uint32_t *first; /* number of the row's first span */
	struct enc_span *spans;
	size_t n_spans, cap_spans;
	struct tmpl_kind {
		uint64_t hash;
		uint32_t row; /* that was the first of it */
		uint32_t n_slots;
		uint32_t n_rows;
		uint32_t number; /* among those that are written, or TMPL_NONE */
	} * kinds;
	size_t n_kinds;
};

/**
 * tmpl_scan(v, arena, ret, ret_ok):
 * Find the template of each row; ${ret_ok} is false when the values have too little in common.
 */
int tmpl_scan(const struct enc_values *v, struct arena *arena, struct tmpl_found *ret,
    bool *ret_ok);

/** tmpl_slot_put(s, v, spans, n, table, data, ret): choose the encoding of a slot; what it is goes to ${table}, its n
 * values to ${data}.  Spans lie in ${v}.  ${ret} has its different values when they may be worth sharing, else none. */
int tmpl_slot_put(struct enc_scratch *s, const struct enc_values *v, const struct enc_span *spans,
    size_t n, struct buf *table, struct buf *data, struct enc_distinct *ret);

/* A slot as it was written by itself, and what tmpl_common_choose makes of it. */
struct tmpl_slot_out {
	size_t table_at, table_n, data_at, data_n;
	size_t n;              /* values */
	struct enc_distinct d; /* none: it stays by itself */
	uint32_t *refs;        /* of each of these: number of its entry in the map */
	size_t codes_at, codes_n;
	bool is_common;
};

/* The values that slots share, on their way. */
struct tmpl_common {
	struct map map;
	struct tmpl_shared *values; /* by number of the entry */
	struct tmpl_form *forms;
	size_t n_forms, n_words, n_numbers;
	struct buf codes; /* which of its own different values each value of a slot is */
	struct buf list;  /* empty: nothing is shared */
};

/** tmpl_common_choose(c, s, slots, n, table): which slots take fewer bytes when they share their values; ${table} is
 * where they were written.  ${c} is zeroed. */
int tmpl_common_choose(struct tmpl_common *c, struct enc_scratch *s, struct tmpl_slot_out *slots,
    size_t n, const struct buf *table);
/** tmpl_slot_describe(slot, is_common, from, table): what tmpl_slot_put said of a slot in ${from}, or that it shares. */
void tmpl_slot_describe(const struct tmpl_slot_out *slot, bool is_common, const struct buf *from,
    struct buf *table);
/** tmpl_common_put(c, slot, data): the values of one that was chosen, instead of what tmpl_slot_put wrote. */
void tmpl_common_put(const struct tmpl_common *c, const struct tmpl_slot_out *slot,
    struct buf *data);
void tmpl_common_fini(struct tmpl_common *c);

/* A slot as it is read.  The lower half is there once its template is loaded. */
struct tmpl_slot {
	enum tmpl_type type;
	unsigned scale;         /* NUM */
	size_t size;            /* HEX: bytes; NUM, DICT, TEXT, COMMON: longest text */
	struct str text;        /* CONST: value; NUM: prefix; PATTERN */
	struct str suffix;      /* NUM */
	uint64_t chars;         /* DICT, TEXT, COMMON: which occur; tmpl_char_bit */
	const int64_t *ints;    /* NUM, PATTERN, IPV4 */
	const uint8_t *bytes;   /* HEX, TEXT */
	const uint32_t *offs;   /* TEXT */
	const struct str *dict; /* DICT, COMMON */
	const uint32_t *codes;
};

struct tmpl {
	size_t n_slots;
	struct str *pieces; /* n_slots + 1 */
	struct tmpl_slot *slots;
	size_t n_rows;    /* once tmpl_count was called */
	uint64_t at, len; /* of its values in the chunk */
	uint32_t sum;
	bool loaded;
	size_t row_max; /* longest text of a row, once loaded */
};

/* A template-coded column. */
struct tmpl_set {
	const struct enc_chunk *c;
	struct arena *arena;
	const uint64_t *present;
	size_t n_values;
	const uint32_t *codes; /* of each value: 0 is text, k is tmpls[k - 1] */
	struct tmpl *tmpls;
	size_t n;
	const uint32_t *others; /* the n_text values of code 0 */
	struct enc_chunk text;  /* the values of code 0, without absent ones */
	size_t n_text;
	uint32_t text_sum;
	uint64_t list_at, list_len; /* of the values that slots share, in the chunk */
	uint32_t list_sum;
	struct str *list; /* n_list of them; NULL until a slot refers to one */
	size_t n_list;
	bool counted;
	size_t budget;    /* bytes that slots may still decode to */
	uint8_t *scratch; /* a row that may be long, on its way */
	size_t scratch_cap;
};

/** tmpl_open(c, arena, ret): the head: templates and codes, no values. */
int tmpl_open(const struct enc_chunk *c, struct arena *arena, struct tmpl_set *ret);
/** tmpl_count(set): how many rows each template has; a search that no template needs decoded for goes without. */
int tmpl_count(struct tmpl_set *set);
/** tmpl_load(set, t): the values of a template. */
int tmpl_load(struct tmpl_set *set, struct tmpl *t);
/** tmpl_open_text(set): the head of the values that are text. */
int tmpl_open_text(struct tmpl_set *set);
/** tmpl_list_load(set): the values that slots share. */
int tmpl_list_load(struct tmpl_set *set);
/** tmpl_text(set, rows, ret): the values that are text, or rows->rows of them, as decoded; empty when there are none. */
int tmpl_text(struct tmpl_set *set, const struct enc_rows *rows, struct column *ret);
/** tmpl_places(set, rows, codes, places, ret_text): which row of which template each of the rows (listed, ascending) is: its code, or TMPL_NONE
 * when it has no value, and its number in the template; of code 0 the number in ${ret_text}, the rows of text that are wanted. */
int tmpl_places(struct tmpl_set *set, const struct enc_rows *rows, uint32_t *codes,
    uint32_t *places, struct enc_rows *ret_text);
/** tmpl_slot_table(s, slot), tmpl_slot_load(set, s, n, slot): the two halves of what tmpl_slot_put wrote. */
bool tmpl_slot_table(struct scan *s, struct tmpl_slot *slot);
int tmpl_slot_load(struct tmpl_set *set, struct scan *s, size_t n, struct tmpl_slot *slot);
/** tmpl_slot_max(slot): the longest text of a loaded slot. */
size_t tmpl_slot_max(const struct tmpl_slot *slot, size_t n);

/** tmpl_write(t, k, out): the text of the template's row ${k}, at most row_max bytes; returns their end. */
uint8_t *tmpl_write(const struct tmpl *t, size_t k, uint8_t *out);

/* A literal made ready: bit p of a mask says whether byte p of the literal can be that byte, or one of them. */
struct tmpl_literal {
	struct block_match m;
	size_t n; /* of its first bytes that are looked at */
	uint64_t eq[256];
	uint64_t digits, hex;
};
enum { TMPL_LITERAL_MAX = 63 };
void tmpl_literal_init(struct tmpl_literal *l, const struct block_match *m);

/* Whether rows of a template contain a literal. */
enum tmpl_answer { TMPL_NO, TMPL_ALL, TMPL_MAYBE };
enum tmpl_answer tmpl_classify(const struct tmpl *t, const struct tmpl_literal *l);

/* What of a template's rows is to be looked at: bytes that are the same in all, and slots (bytes is empty then). */
struct tmpl_step {
	struct str bytes;
	const struct tmpl_slot *slot; /* or NULL */
};
struct tmpl_plan {
	struct tmpl_step *steps;
	size_t n;
};
/** tmpl_plan(t, l, arena, ret): the parts of a template's rows that a literal may lie in, of which tmpl_classify said TMPL_MAYBE.  What
 * is not next to each other in a row is parted by a byte that is not in the literal. */
int tmpl_plan(const struct tmpl *t, const struct tmpl_literal *l, struct arena *arena,
    struct tmpl_plan *ret);
/** tmpl_plan_write(p, k, out): those of row ${k}, at most row_max and p->n bytes; returns their end. */
uint8_t *tmpl_plan_write(const struct tmpl_plan *p, size_t k, uint8_t *out);

/** tmpl_char_bit(c): the bit of a token's byte in tmpl_slot.chars; '_' shares that of '-'.  0 for other bytes. */
static inline uint64_t
tmpl_char_bit(uint8_t c)
{
	/* From ' ' to DEL, sixteen a row; 64 is none. */
	/* clang-format off */
	static const uint8_t numbers[96] = {
		64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 63, 62, 64,
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 64, 64, 64, 64, 64,
		64, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,
		51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 63,
		64, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
		25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 64, 64, 64, 64, 64,
	};
	/* clang-format on */
	unsigned n = (unsigned)c - ' ' < sizeof(numbers) ? numbers[c - ' '] : 64;

	return (uint64_t)(n < 64) << (n & 63);
}
