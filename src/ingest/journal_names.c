/*
 * ingest/journal_names.c - names of journal fields met lately.
 * One job: learn them, and number layouts.
 * Floor: 3 (uses record, base).
 */
#include "ingest/journal_names.h"

void
journal_names_init(struct journal_names *names)
{
	*names = (struct journal_names){ .n = 1 };
}

void
journal_names_fini(struct journal_names *names)
{
	map_fini(&names->numbers);
	*names = (struct journal_names){ .n = 1 };
}

bool
journal_names_full(const struct journal_names *names)
{
	return names->n == JOURNAL_NAMES_MAX;
}

void
journal_names_clear(struct journal_names *names)
{
	struct map numbers = names->numbers;

	map_clear(&numbers);
	*names = (struct journal_names){ .n = 1, .numbers = numbers };
}

unsigned
journal_names_find(const struct journal_names *names, struct str name)
{
	const struct map_entry *e = map_get(&names->numbers, name);

	return e != NULL ? (unsigned)e->value : 0;
}

unsigned
journal_names_learn(struct journal_names *names, struct str name)
{
	struct journal_name *k;
	struct map_entry *e;

	if (journal_names_full(names) || name.n == 0 || name.n >= JOURNAL_NAME_TEXT)
		return 0;
	e = map_put(&names->numbers, name, NULL);
	if (e == NULL)
		return 0;
	e->value = names->n;
	k = &names->of[names->n];
	*k = (struct journal_name){ .n = (uint8_t)(name.n + 1) };
	memcpy(k->text, name.p, name.n);
	k->text[name.n] = '=';
	return (unsigned)names->n++;
}

void
journal_names_came(struct journal_names *names, unsigned last, unsigned number)
{
	uint8_t *next = names->of[last].next;

	next[1] = next[0];
	next[0] = (uint8_t)number;
}

uint64_t
journal_names_layout(struct journal_names *names, uint64_t line, const struct journal_path *path,
    unsigned added)
{
	struct journal_layout *l;

	if (line == 0 || path->none)
		return 0;
	l = &names->layouts[(path->hash ^ (uint32_t)line * 0x85ebca6bu ^ added) >> 8 &
	    (JOURNAL_LAYOUTS - 1)];
	if (LIKELY(l->id != 0 && l->line == line && l->added == added && l->n == path->n &&
	        memcmp(l->path, path->step, path->n) == 0))
		return l->id;
	*l = (struct journal_layout){ record_layout_new(), line, added, path->n, { 0 } };
	memcpy(l->path, path->step, path->n);
	return l->id;
}
