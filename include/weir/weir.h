/*
 * weir/weir.h - libweir.
 * One job: read and write a weir store from another program.
 *
 * A store can be read by any number of processes, with no daemon; one process at a time writes it.  All functions that return
 * int give 0 (or what they say) when they succeed and a negative errno when they fail (-ENOMEM always among them);
 * weir_error then has one line for people, and what they would have made is not there.
 *
 * Threads:  a store with its rows, and a writer, belong to one thread at a time; different ones may be used by different
 *           threads.  A query runs in threads of the library, in which all signals are blocked.
 * Text:     names, queries and values are UTF-8, ended by a NUL; what is in a store may hold other bytes too.
 * Times:    nanoseconds since 1970-01-01T00:00:00Z.
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

/**
 * weir_store_open(path, ret):
 * Open the store in the folder ${path} for reading, as it is now.  The caller closes it.
 *
 * Errors: -ENOENT: no store there; -EACCES; -EPROTO: of a newer format.
 *
 * weir_store_close(s): its rows are freed before; takes NULL.
 */
WEIR_API int weir_store_open(const char *path, struct weir_store **ret);
WEIR_API void weir_store_close(struct weir_store *s);

/** weir_store_refresh(s): see what was committed since.  Not while rows of it are open (-EBUSY). */
WEIR_API int weir_store_refresh(struct weir_store *s);

/* All of it may be 0: no bound. */
struct weir_query_options {
	int64_t since_ns, until_ns; /* of _time: since <= _time < until */
	uint64_t limit;             /* only the newest rows, in order */
	uint64_t memory_max;        /* bytes; 0: a quarter of the machine's, at most 1 GiB */
	unsigned n_threads;         /* 0: all cores */
};

/**
 * weir_query(s, logsql, ret):
 * Start a LogsQL query; rows come in the order of _time, or in that of its last pipe.  The caller frees the rows.
 * weir_query_with(s, logsql, opt, ret): the same with bounds; ${opt} may be NULL.  Text and bounds are copied.
 *
 * Errors: -EINVAL: the query does not parse; weir_error shows where.
 */
WEIR_API int weir_query(struct weir_store *s, const char *logsql, struct weir_rows **ret);
WEIR_API int weir_query_with(struct weir_store *s, const char *logsql,
    const struct weir_query_options *opt, struct weir_rows **ret);

/**
 * weir_rows_next(r):
 * Go to the next row, at first to the first: 1, or 0 at the end.  What was borrowed from the row before is gone.
 *
 * Errors: -EIO in the place of the end: parts of the store could not be read, and all that could be was given;
 * -ENOMEM: memory_max was not enough.
 */
WEIR_API int weir_rows_next(struct weir_rows *r);

/** weir_rows_value(r, name): the value of a field of this row, "" when it has none.  Valid until the next row. */
WEIR_API const char *weir_rows_value(const struct weir_rows *r, const char *name);

/**
 * weir_rows_n_fields(r): how many fields of this row are not empty.
 * weir_rows_field(r, i, ret_name, ret_value, ret_value_len): field ${i} of them, from 0, in order.
 *
 * Shapes: a value is any ${ret_value_len} bytes, with a NUL behind them.  Borrowed until the next row.
 */
WEIR_API size_t weir_rows_n_fields(const struct weir_rows *r);
WEIR_API void weir_rows_field(const struct weir_rows *r, size_t i, const char **ret_name,
    const char **ret_value, size_t *ret_value_len);

/** weir_rows_free(r): also before the end, which stops the query; takes NULL. */
WEIR_API void weir_rows_free(struct weir_rows *r);

/**
 * weir_writer_open(path, ret):
 * Open the store in the folder ${path} for writing; made if it is not there.  The caller closes it.
 *
 * Errors: -EBUSY: another process writes there; -ENOSPC; -EPROTO: of a newer format.
 */
WEIR_API int weir_writer_open(const char *path, struct weir_writer **ret);

struct weir_field {
	const char *name;
	const char *value;
	size_t value_len;
};

/**
 * weir_writer_add(w, time_ns, stream, fields, n):
 * One row of fields[n]; all is copied.  ${stream} is {a="x",b="y"}, or NULL for {}.  The message is the field _msg;
 * a field whose value is empty is none.
 *
 * Errors: -EINVAL: no such stream, or fields named twice, "", _time, _stream or _stream_id: the row was not taken.
 * -ENOSPC and all others: all rows since the last commit are dropped.
 */
WEIR_API int weir_writer_add(struct weir_writer *w, int64_t time_ns, const char *stream,
    const struct weir_field *fields, size_t n);

/**
 * weir_writer_commit(w):
 * Make all rows since the last commit durable, all or none; readers see them from now on.
 *
 * Errors: -ENOSPC, -EIO and others: the rows are kept in memory for the next commit.
 */
WEIR_API int weir_writer_commit(struct weir_writer *w);

/** weir_writer_close(w): rows since the last commit are dropped; takes NULL. */
WEIR_API void weir_writer_close(struct weir_writer *w);

#ifdef __cplusplus
}
#endif
