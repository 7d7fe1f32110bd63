/*
 * weir/weir.h - libweir.
 * One job: read and write a weir store from another program.
 *
 * A store can be read by any number of processes, with no daemon; one process at a time writes it.  All functions that return
 * int give 0 (or what they say) when they succeed and a negative errno when they fail; weir_error then has one line for
 * people.  An object belongs to one thread at a time; different objects may be used by different threads.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_API __attribute__((__visibility__("default")))

struct weir_store;
struct weir_rows;
struct weir_writer;

/** weir_error(): why the last call of this thread failed; never NULL, valid until its next failure. */
WEIR_API const char *weir_error(void);

/** weir_store_open(path, ret): a store for reading, as it is now.  weir_store_close(s) takes NULL; rows of it go first. */
WEIR_API int weir_store_open(const char *path, struct weir_store **ret);
WEIR_API void weir_store_close(struct weir_store *s);

/** weir_store_refresh(s): see what was committed since.  Not while rows of it are open (-EBUSY). */
WEIR_API int weir_store_refresh(struct weir_store *s);

/* All of it may be 0: no bound. */
struct weir_query_options {
	int64_t since_ns, until_ns; /* of _time, ns since the epoch, half open; both 0: any */
	uint64_t limit;             /* the newest rows, printed in order */
	uint64_t memory_max;        /* bytes; 0: a quarter of the machine's, at most 1 GiB */
	unsigned n_threads;         /* 0: all cores */
};

/**
 * weir_query(s, logsql, ret):
 * Start a LogsQL query; rows come in the order of _time, or in that of its last pipe.
 * weir_query_with(s, logsql, opt, ret): the same with bounds; ${opt} may be NULL.
 *
 * Errors: -EINVAL: the query does not parse; weir_error shows where.
 */
WEIR_API int weir_query(struct weir_store *s, const char *logsql, struct weir_rows **ret);
WEIR_API int weir_query_with(struct weir_store *s, const char *logsql,
    const struct weir_query_options *opt, struct weir_rows **ret);

/** weir_rows_next(r): go to the next row: 1, 0 at the end, a negative errno.  Parts of the store that could not be
 * read are -EIO at the end, when all that could be read was given. */
WEIR_API int weir_rows_next(struct weir_rows *r);

/** weir_rows_value(r, name): the value of a field of this row, "" when it has none.  Valid until the next row. */
WEIR_API const char *weir_rows_value(const struct weir_rows *r, const char *name);

/** weir_rows_n_fields(r), weir_rows_field(r, i, …): the fields of this row that are not empty, in order.  Values are
 * any bytes, with a NUL behind them. */
WEIR_API size_t weir_rows_n_fields(const struct weir_rows *r);
WEIR_API void weir_rows_field(const struct weir_rows *r, size_t i, const char **ret_name,
    const char **ret_value, size_t *ret_value_len);

/** weir_rows_free(r): also before the end; takes NULL. */
WEIR_API void weir_rows_free(struct weir_rows *r);

/** weir_writer_open(path, ret): open a store for writing, or make it.  -EBUSY: another process writes there. */
WEIR_API int weir_writer_open(const char *path, struct weir_writer **ret);

struct weir_field {
	const char *name;
	const char *value;
	size_t value_len;
};

/**
 * weir_writer_add(w, time_ns, stream, fields, n):
 * One row; all is copied.  ${stream} is {a="x",b="y"}, or NULL for {}.  The message is the field _msg.
 */
WEIR_API int weir_writer_add(struct weir_writer *w, int64_t time_ns, const char *stream,
    const struct weir_field *fields, size_t n);

/** weir_writer_commit(w): make all rows since the last commit durable; readers see them from now on. */
WEIR_API int weir_writer_commit(struct weir_writer *w);

/** weir_writer_close(w): rows since the last commit are dropped; takes NULL. */
WEIR_API void weir_writer_close(struct weir_writer *w);

#ifdef __cplusplus
}
#endif
