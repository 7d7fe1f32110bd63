/*
 * ingest/journal_names.h - names of journal fields met lately.
 * One job: know a field's name again by one comparison, and an entry's layout.
 * Floor: 3 (uses record, base).
 *
 * Entries of a service have the same fields in the same order.  What came behind a name lately is compared as bytes, '='
 * included; where it fits, the name need not be looked for, nor what it means.  The numbers of an entry's names in order are
 * its path; with the layout of its line and what is added to it, that makes the layout of its record.
 */
#pragma once

#include "base/map.h"
#include "record/record.h"

enum {
	JOURNAL_NAMES_MAX = 256,
	JOURNAL_NAME_TEXT = 40,
	JOURNAL_NAME_NEXT = 2,
	JOURNAL_PATH_MAX = 60,
	JOURNAL_LAYOUTS = 64,
};

/* Of a name its bytes with '=', what it means to the caller, and which names came behind it, the last one first. */
struct journal_name {
	uint8_t text[JOURNAL_NAME_TEXT];
	uint8_t n; /* 0: none */
	bool kept; /* it becomes a field */
	uint8_t fact;
	uint8_t next[JOURNAL_NAME_NEXT];
};

struct journal_layout {
	uint64_t id; /* 0: none */
	uint64_t line;
	unsigned added;
	size_t n;
	uint8_t path[JOURNAL_PATH_MAX];
};

/* Invariants: of[0] is before the first name and has no bytes; of[1..n) are known, numbers has them all. */
struct journal_names {
	struct journal_name of[JOURNAL_NAMES_MAX];
	size_t n;
	struct map numbers; /* of names, without '=' */
	struct journal_layout layouts[JOURNAL_LAYOUTS];
};

/** An entry's names in order.  Beyond JOURNAL_PATH_MAX, or with a name that has no number, it is of no layout. */
struct journal_path {
	size_t n;
	bool none;
	uint32_t hash;
	uint8_t step[JOURNAL_PATH_MAX];
};

void journal_names_init(struct journal_names *names);
void journal_names_fini(struct journal_names *names);
/** journal_names_full(names): no name can be learned any more.  journal_names_clear(names): begin anew. */
bool journal_names_full(const struct journal_names *names);
void journal_names_clear(struct journal_names *names);

/** journal_names_find(names, name): the number of a name that is known, or 0. */
unsigned journal_names_find(const struct journal_names *names, struct str name);
/** journal_names_learn(names, name): its new number, the caller says what it means; 0: there is no room for it. */
unsigned journal_names_learn(struct journal_names *names, struct str name);

static inline bool
journal_name_fits(const struct journal_name *k, struct str field)
{
	return k->n != 0 && k->n <= field.n && bytes_equal(k->text, field.p, k->n);
}

/** journal_names_expect(names, last, field): the number of the name of "NAME=value" if it came behind ${last} lately, or 0. */
static inline unsigned
journal_names_expect(struct journal_names *names, unsigned last, struct str field)
{
	uint8_t *next = names->of[last].next, second = next[1];

	if (LIKELY(journal_name_fits(&names->of[next[0]], field)))
		return next[0];
	if (!journal_name_fits(&names->of[second], field))
		return 0;
	next[1] = next[0];
	next[0] = second;
	return second;
}

/** journal_names_came(names, last, number): ${number} came behind ${last}, where it was not expected. */
void journal_names_came(struct journal_names *names, unsigned last, unsigned number);

static inline void
journal_path_step(struct journal_path *p, unsigned number)
{
	if (UNLIKELY(number == 0 || p->n == JOURNAL_PATH_MAX)) {
		p->none = true;
		return;
	}
	p->step[p->n++] = (uint8_t)number;
	p->hash = (p->hash ^ number) * 0x9e3779b1u;
}

/**
 * journal_names_layout(names, line, path, added):
 * The layout of a record that has the fields of a line of layout ${line}, those of ${path}, and the ones that ${added}
 * stands for, in this order; 0: none.
 */
uint64_t journal_names_layout(struct journal_names *names, uint64_t line,
    const struct journal_path *path, unsigned added);
