/*
 * base/map.c - bytes to number.
 * One job: a hash table from counted bytes to a uint64, iterable in insertion order.
 * Floor: 0.
 */
#include "base/map.h"

#include "base/hash.h"

static uint32_t *
find_slot(const struct map *m, struct str key, uint64_t hash)
{
	size_t i = hash & (m->n_slots - 1);
	const struct map_entry *e;

	while (m->slots[i] != 0) {
		e = &m->entries[m->slots[i] - 1];
		if (e->hash == hash && str_eq(e->key, key))
			break;
		i = (i + 1) & (m->n_slots - 1);
	}
	return &m->slots[i];
}

struct map_entry *
map_get(const struct map *m, struct str key)
{
	uint32_t *slot;

	if (m->n == 0)
		return NULL;
	slot = find_slot(m, key, hash64(key));
	return *slot != 0 ? &m->entries[*slot - 1] : NULL;
}

static bool
rehash(struct map *m)
{
	size_t n_slots = m->n_slots == 0 ? 16 : m->n_slots * 2, i, at;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (i = 0; i < m->n; i++) {
		at = m->entries[i].hash & (n_slots - 1);
		while (slots[at] != 0)
			at = (at + 1) & (n_slots - 1);
		slots[at] = (uint32_t)(i + 1);
	}
	free(m->slots);
	m->slots = slots;
	m->n_slots = n_slots;
	return true;
}

static bool
grow_entries(struct map *m)
{
	size_t cap = m->cap == 0 ? 8 : m->cap * 2;
	struct map_entry *entries;

	if (cap > UINT32_MAX)
		return false;
	entries = reallocarray(m->entries, cap, sizeof(*entries));
	if (entries == NULL)
		return false;
	m->entries = entries;
	m->cap = cap;
	return true;
}

struct map_entry *
map_put(struct map *m, struct str key, bool *ret_new)
{
	uint64_t hash = hash64(key);
	struct str copy;
	uint32_t *slot;

	if ((m->n + 1) * 4 > m->n_slots * 3 && !rehash(m))
		return NULL;
	slot = find_slot(m, key, hash);
	if (ret_new != NULL)
		*ret_new = *slot == 0;
	if (*slot != 0)
		return &m->entries[*slot - 1];
	if (m->n == m->cap && !grow_entries(m))
		return NULL;
	copy = arena_dup(&m->keys, key);
	if (copy.p == NULL)
		return NULL;
	m->entries[m->n] = (struct map_entry){ copy, hash, 0 };
	*slot = (uint32_t)++m->n;
	return &m->entries[m->n - 1];
}

size_t
map_bytes(const struct map *m)
{
	return m->cap * sizeof(*m->entries) + m->n_slots * sizeof(*m->slots) + m->keys.total;
}

void
map_clear(struct map *m)
{
	m->n = 0;
	if (m->slots != NULL)
		memset(m->slots, 0, m->n_slots * sizeof(*m->slots));
	arena_clear(&m->keys);
}

void
map_fini(struct map *m)
{
	free(m->entries);
	free(m->slots);
	arena_fini(&m->keys);
	*m = (struct map)MAP_INIT;
}
