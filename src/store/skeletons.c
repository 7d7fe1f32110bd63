/*
 * store/skeletons.c - the known forms of messages.
 * One job: remember which skeletons were seen and when, longer than any segment.
 * Floor: 2 (uses base).
 */
#include "store/skeletons.h"

#include <fcntl.h>

#include "base/hash.h"
#include "base/io.h"

/*
 * File "skeletons", version 2: entries of 48 bytes, little-endian, nothing before them.
 *
 *   offset  size  field
 *        0     8  hash    of the skeleton
 *        8     8  first   ns, when it was first seen
 *       16     8  last    ns, when it was last seen
 *       24     8  again   ns, when it last came back after a day or more; 0: never
 *       32     8  before  ns, when it was seen before that
 *       40     8  sum     hash64 of bytes 0 to 39, seeded with the version, 2
 *
 * Of entries with the same hash the later one holds.  The store's writer appends; when most entries are of old, it writes
 * the file anew beside and renames it.  A crash leaves a last entry cut or unwritten: its sum does not hold, it is left
 * out, and the next save writes over it.
 */
enum { ENTRY = 48, ENTRY_SUMMED = 40, ENTRY_VERSION = 2, FILE_MODE = 0640, SLOTS_MIN = 1024 };
enum { SPARE_ENTRIES = 4096 };
/* How far the file's last may lie behind. */
#define LAST_STEP_NS (3600 * (int64_t)NS_PER_S)

struct entry {
	struct skeleton_seen seen;
	struct wall saved; /* seen.last in the file */
	bool changed;      /* more than last is to be saved */
};

/*
 * Invariants: slots[i] is 0 or 1 + an index into v; n_slots is a power of two above n * 2; the good part of the file
 * ends at end and has n_file entries.
 */
struct skeletons {
	int dir_fd;
	struct entry *v;
	size_t n, cap;
	uint32_t *slots;
	size_t n_slots;
	uint64_t end, n_file;
	bool unsaved;  /* an entry is to be written */
	bool unsynced; /* what was written is to be synced */
	bool anew;     /* the whole file is to be written */
};

static uint32_t *
slot_of(const struct skeletons *k, uint64_t hash)
{
	size_t i = (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (k->n_slots - 1);

	while (k->slots[i] != 0 && k->v[k->slots[i] - 1].seen.hash != hash)
		i = (i + 1) & (k->n_slots - 1);
	return &k->slots[i];
}

static void
fill_slots(struct skeletons *k)
{
	size_t i;

	memset(k->slots, 0, k->n_slots * sizeof(*k->slots));
	for (i = 0; i < k->n; i++)
		*slot_of(k, k->v[i].seen.hash) = (uint32_t)i + 1;
}

static int
grow(struct skeletons *k)
{
	size_t n = k->n_slots == 0 ? SLOTS_MIN : k->n_slots * 2;
	struct entry *v = reallocarray(k->v, n / 2, sizeof(*v));
	uint32_t *slots;

	if (v == NULL)
		return err_origin(-ENOMEM);
	k->v = v;
	slots = reallocarray(k->slots, n, sizeof(*slots));
	if (slots == NULL)
		return err_origin(-ENOMEM);
	k->cap = n / 2;
	k->slots = slots;
	k->n_slots = n;
	fill_slots(k);
	return 0;
}

static int
by_last(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->seen.last.ns < y->seen.last.ns) - (x->seen.last.ns > y->seen.last.ns);
}

/* Those that were not seen for longest make room. */
static void
forget_oldest(struct skeletons *k)
{
	qsort(k->v, k->n, sizeof(*k->v), by_last);
	k->n -= k->n / 8;
	k->unsaved = k->anew = true;
	fill_slots(k);
}

/* The entry of ${hash}, made when it is not there. */
static int
find_or_add(struct skeletons *k, uint64_t hash, struct entry **ret, bool *ret_new)
{
	uint32_t *slot;
	int r;

	if (k->n >= SKELETONS_MAX)
		forget_oldest(k);
	if (k->n + 1 >= k->cap) {
		r = grow(k);
		if (r < 0)
			return err_trace(r);
	}
	slot = slot_of(k, hash);
	*ret_new = *slot == 0;
	if (*ret_new) {
		k->v[k->n++] = (struct entry){ .seen = { .hash = hash } };
		*slot = (uint32_t)k->n;
	}
	*ret = &k->v[*slot - 1];
	return 0;
}

int
skeletons_see(struct skeletons *k, uint64_t hash, struct wall now)
{
	struct entry *e;
	bool is_new;
	int r = find_or_add(k, hash, &e, &is_new);

	if (r < 0)
		return err_trace(r);
	if (is_new) {
		e->seen.first = now;
		e->changed = true;
	} else if (now.ns - e->seen.last.ns >= SKELETONS_AWAY.ns) {
		e->seen.before = e->seen.last;
		e->seen.again = now;
		e->changed = true;
	} else if (now.ns <= e->seen.last.ns && e->seen.last.ns - now.ns < LAST_STEP_NS) {
		return 0;
	}
	/* Also back, when the clock had been ahead. */
	e->seen.last = now;
	k->unsaved = k->unsaved || e->changed || now.ns - e->saved.ns >= LAST_STEP_NS ||
	    now.ns < e->saved.ns;
	return 0;
}

bool
skeletons_find(const struct skeletons *k, uint64_t hash, struct wall *ret_first)
{
	struct skeleton_seen seen;

	if (!skeletons_get(k, hash, &seen))
		return false;
	*ret_first = seen.first;
	return true;
}

bool
skeletons_get(const struct skeletons *k, uint64_t hash, struct skeleton_seen *ret)
{
	uint32_t at = k->n_slots > 0 ? *slot_of(k, hash) : 0;

	if (at == 0)
		return false;
	*ret = k->v[at - 1].seen;
	return true;
}

int
skeletons_each(const struct skeletons *k, skeletons_fn fn, void *ctx)
{
	size_t i;
	int r = 0;

	for (i = 0; i < k->n && r == 0; i++)
		r = fn(ctx, &k->v[i].seen);
	return r;
}

size_t
skeletons_count(const struct skeletons *k)
{
	return k->n;
}

bool
skeleton_is_new(const struct skeleton_seen *seen, struct wall since, struct span quiet)
{
	if (seen->first.ns >= since.ns)
		return true;
	return seen->again.ns >= since.ns && seen->again.ns != 0 &&
	    seen->again.ns - seen->before.ns >= quiet.ns;
}

/* The file.  --------------------------------------------------------------------------------- */

static bool
read_entry(struct scan *s, struct str bytes, struct skeleton_seen *ret)
{
	struct str body = str_sub(bytes, s->at, s->at + ENTRY_SUMMED);

	ret->hash = scan_u64(s);
	ret->first.ns = (int64_t)scan_u64(s);
	ret->last.ns = (int64_t)scan_u64(s);
	ret->again.ns = (int64_t)scan_u64(s);
	ret->before.ns = (int64_t)scan_u64(s);
	return scan_u64(s) == hash64_seed(body, ENTRY_VERSION);
}

static int
load(struct skeletons *k, struct str bytes)
{
	struct scan s = SCAN_OF(bytes);
	struct skeleton_seen seen;
	struct entry *e;
	bool is_new;
	int r;

	while (s.n - s.at >= ENTRY) {
		if (!read_entry(&s, bytes, &seen))
			continue;
		r = find_or_add(k, seen.hash, &e, &is_new);
		if (r < 0)
			return err_trace(r);
		*e = (struct entry){ seen, seen.last, false };
		k->end = s.at;
		k->n_file++;
	}
	return 0;
}

int
skeletons_open(struct skeletons **ret, const char *path)
{
	AUTO(skeletons_close) struct skeletons *k = NULL;
	AUTO_FINI(buf_fini) struct buf bytes = BUF_INIT;
	int r;

	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return err_origin(-ENOMEM);
	k->dir_fd = io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (k->dir_fd < 0)
		return err_trace(k->dir_fd);
	r = io_read_file(k->dir_fd, "skeletons", (size_t)SKELETONS_MAX * 4 * ENTRY, &bytes);
	if (r == 0)
		r = load(k, buf_view(&bytes));
	/* It comes with the first save. */
	if (r < 0 && r != -ENOENT)
		return err_trace(r);
	*ret = TAKE(k);
	return 0;
}

struct skeletons *
skeletons_close(struct skeletons *k)
{
	if (k == NULL)
		return NULL;
	if (k->dir_fd >= 0)
		(void)close(k->dir_fd);
	free(k->v);
	free(k->slots);
	free(k);
	return NULL;
}

static void
put_entry(struct buf *out, const struct skeleton_seen *s)
{
	buf_u64(out, s->hash);
	buf_u64(out, (uint64_t)s->first.ns);
	buf_u64(out, (uint64_t)s->last.ns);
	buf_u64(out, (uint64_t)s->again.ns);
	buf_u64(out, (uint64_t)s->before.ns);
	if (!out->failed)
		buf_u64(out,
		    hash64_seed(str_of(out->p + out->n - ENTRY_SUMMED, ENTRY_SUMMED),
		        ENTRY_VERSION));
}

static bool
is_due(const struct entry *e)
{
	return e->changed || e->seen.last.ns - e->saved.ns >= LAST_STEP_NS ||
	    e->seen.last.ns < e->saved.ns;
}

static int
append(struct skeletons *k, const struct buf *out)
{
	AUTO_CLOSE int fd = -1;
	int r;

	fd = io_open(k->dir_fd, "skeletons", O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY, FILE_MODE);
	if (fd < 0)
		return err_trace(fd);
	r = io_pwrite(fd, out->p, out->n, k->end);
	if (r < 0)
		return err_trace(r);
	k->end += out->n;
	k->unsynced = true;
	return 0;
}

static int
replace(struct skeletons *k, const struct buf *out)
{
	int r = io_replace_file(k->dir_fd, "skeletons", buf_view(out), FILE_MODE);

	if (r < 0)
		return err_trace(r);
	k->end = out->n;
	k->n_file = 0;
	k->unsynced = false;
	return 0;
}

int
skeletons_write(struct skeletons *k)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	bool anew = k->anew || k->n_file > 2 * (uint64_t)k->n + SPARE_ENTRIES;
	size_t i;
	int r;

	if (!k->unsaved)
		return 0;
	for (i = 0; i < k->n; i++)
		if (anew || is_due(&k->v[i]))
			put_entry(&out, &k->v[i].seen);
	r = buf_err(&out);
	if (r == 0 && out.n > 0)
		r = anew ? replace(k, &out) : append(k, &out);
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < k->n; i++)
		if (anew || is_due(&k->v[i])) {
			k->v[i].saved = k->v[i].seen.last;
			k->v[i].changed = false;
		}
	k->n_file += out.n / ENTRY;
	k->unsaved = k->anew = false;
	return 0;
}

int
skeletons_save(struct skeletons *k)
{
	AUTO_CLOSE int fd = -1;
	int r = skeletons_write(k);

	if (r < 0 || !k->unsynced)
		return err_trace(r);
	fd = io_open(k->dir_fd, "skeletons", O_RDWR | O_NOFOLLOW | O_NOCTTY, 0);
	r = fd < 0 ? fd : io_sync(fd);
	/* A file whose sync failed is not trusted again: the next save writes another. */
	k->unsynced = false;
	k->unsaved = k->anew = r < 0;
	return err_trace(r);
}
