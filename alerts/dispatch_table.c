/*
 * alerts/dispatch_table.c - 64-bit names to pointers.
 * One job: a hash table that forgets as well as it learns.
 * Floor: 4 (uses base).
 *
 * Linear probing at half load at most; a dropped slot is closed by moving back what probed over it.  Keys are hashes
 * already, and are mixed once more because Prometheus' fingerprints are weak in their low bits.
 */
#include "alerts/dispatch_internal.h"

static size_t
table_place(const struct table *t, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (t->n_slots - 1);
}

void *
table_get(const struct table *t, uint64_t key)
{
	size_t i;

	if (t->n_slots == 0)
		return NULL;
	for (i = table_place(t, key); t->slots[i].p != NULL; i = (i + 1) & (t->n_slots - 1))
		if (t->slots[i].key == key)
			return t->slots[i].p;
	return NULL;
}

static void
table_insert(struct table *t, uint64_t key, void *p)
{
	size_t i = table_place(t, key);

	while (t->slots[i].p != NULL)
		i = (i + 1) & (t->n_slots - 1);
	t->slots[i] = (struct table_slot){ key, p };
}

int
table_put(struct table *t, uint64_t key, void *p)
{
	struct table grown = { NULL, t->n_slots != 0 ? t->n_slots * 2 : 64, t->n };
	size_t i;

	if ((t->n + 1) * 2 > t->n_slots) {
		grown.slots = calloc(grown.n_slots, sizeof(*grown.slots));
		if (grown.slots == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < t->n_slots; i++)
			if (t->slots[i].p != NULL)
				table_insert(&grown, t->slots[i].key, t->slots[i].p);
		free(t->slots);
		*t = grown;
	}
	table_insert(t, key, p);
	t->n++;
	return 0;
}

void
table_drop(struct table *t, uint64_t key)
{
	size_t i, k, home, mask = t->n_slots - 1;

	if (t->n_slots == 0)
		return;
	for (i = table_place(t, key); t->slots[i].p != NULL; i = (i + 1) & mask)
		if (t->slots[i].key == key)
			break;
	if (t->slots[i].p == NULL)
		return;
	for (k = (i + 1) & mask; t->slots[k].p != NULL; k = (k + 1) & mask) {
		home = table_place(t, t->slots[k].key);
		if (((k - home) & mask) < ((k - i) & mask))
			continue;
		t->slots[i] = t->slots[k];
		i = k;
	}
	t->slots[i].p = NULL;
	t->n--;
}

void
table_fini(struct table *t)
{
	free(t->slots);
	*t = (struct table){ NULL, 0, 0 };
}
