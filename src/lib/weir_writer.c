/*
 * lib/weir_writer.c - libweir, writing.
 * One job: rows from another program into a store.
 * Floor: 4 (uses store, record, base).
 */
#include "lib/weir_internal.h"
#include "record/stream.h"
#include "store/ids.h"
#include "store/store.h"
#include "weir/weir.h"

struct weir_writer {
	struct store *store;
	struct arena arena; /* of the row that is being added */
};

static int
failed(int r, struct buf *error)
{
	const char *text = error != NULL && error->n > 0 ? buf_c_str(error)
	    : r == STORE_E_FULL                          ? "no room"
	                                                 : err_str(r < 0 ? r : -EIO);

	return weir_fail(r == STORE_E_LOCKED ? -EBUSY
	        : r == STORE_E_FULL          ? -ENOSPC
	        : r > 0                      ? -EPROTO
	                                     : r,
	    "%s", text);
}

int
weir_writer_open(const char *path, struct weir_writer **ret)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct weir_writer *w = calloc(1, sizeof(*w));
	struct store_options opt = { 0 };
	int r;

	if (w == NULL)
		return weir_fail(-ENOMEM, "%s", err_str(-ENOMEM));
	/* The names that the daemon set hold for what comes by hand too. */
	r = store_ids_load(path);
	if (r == 0)
		r = store_open(&w->store, path, &opt, wall_now(), &error);
	if (r == 0) {
		*ret = w;
		return 0;
	}
	free(w);
	buf_printf(&text, "%s: %s", path,
	    error.n > 0 ? buf_c_str(&error) : err_str(r < 0 ? r : -EIO));
	return failed(r, &text);
}

/* The labels in canonical form: sorted, quoted; empty for {}. */
static int
canonical(struct weir_writer *w, const char *stream, struct str *ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct label labels[STREAM_LABELS_MAX];
	size_t n = 0;

	*ret = STR_NONE;
	if (stream == NULL || *stream == '\0')
		return 0;
	if (stream_parse(str_c(stream), &w->arena, labels, &n) != 0)
		return weir_fail(-EINVAL, "%s: no stream: expected {name=\"value\",…}", stream);
	stream_format(&text, labels, n);
	*ret = arena_dup(&w->arena, buf_view(&text));
	return 0;
}

int
weir_writer_add(struct weir_writer *w, int64_t time_ns, const char *stream,
    const struct weir_field *fields, size_t n)
{
	struct record rec = { .time = { time_ns }, .flags = RECORD_HAS_TIME };
	size_t i;
	int r;

	arena_clear(&w->arena);
	r = canonical(w, stream, &rec.stream);
	if (r < 0)
		return r;
	rec.fields = arena_zalloc(&w->arena, n + 1, sizeof(*rec.fields));
	if (rec.fields == NULL)
		return failed(-ENOMEM, NULL);
	for (i = 0; i < n; i++) {
		struct str name = str_c(fields[i].name);

		if (name.n == 0 || str_eq_c(name, "_time") || str_eq_c(name, "_stream") ||
		    str_eq_c(name, "_stream_id"))
			return weir_fail(-EINVAL, "\"%s\" cannot be a field", fields[i].name);
		if (record_get(&rec, name).n > 0)
			return weir_fail(-EINVAL, "field %s stands twice", fields[i].name);
		rec.fields[rec.n_fields++] = (struct field){ name,
			str_of(fields[i].value, fields[i].value_len), VALUE_STRING };
	}
	r = store_append(w->store, &rec, 1);
	if (r == 0)
		return 0;
	/* Whether this row was taken cannot be known: so none is, and the caller begins anew. */
	(void)store_abort(w->store);
	return failed(r, NULL);
}

int
weir_writer_commit(struct weir_writer *w)
{
	int r = store_commit(w->store, wall_now());

	if (r != 0)
		return failed(r, NULL);
	/* Upkeep that fails takes no row back: a caller that was told so would write them twice. */
	(void)store_maintain(w->store, wall_now());
	return 0;
}

void
weir_writer_close(struct weir_writer *w)
{
	if (w == NULL)
		return;
	(void)store_close(w->store);
	arena_fini(&w->arena);
	free(w);
}
