/*
 * store/ids.h - which fields have the exact index in this store.
 * One job: the names of ID fields that the writer was given, for whoever asks the store later.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "base/buf.h"

enum { STORE_IDS_BYTES_MAX = 64 << 10, STORE_IDS_MAX = 1024 };

/* A name in normal form, and the first segment whose index has all its values. */
struct store_ids_name {
	struct str name;
	uint64_t since; /* UINT64_MAX: nobody knows */
};

/* What the file "ids" says; names borrow from text. */
struct store_ids {
	struct buf text;
	struct store_ids_name *v;
	size_t n;
	bool is_builtin; /* there is none: the built-in names hold, and did so always */
};

/** store_ids_read(dir_fd, ret): -errno: it is there and cannot be read; then there are no names. */
int store_ids_read(int dir_fd, struct store_ids *ret);
void store_ids_fini(struct store_ids *l);

/** store_ids_since(l, field): since when the index has the values of ${field}; of an empty one, those of all names. */
uint64_t store_ids_since(const struct store_ids *l, struct str field);

/**
 * store_ids_settle(dir_fd, next_segment, ret_since):
 * The writer has its names (names_ids): write them to "ids", when they are others than those there.  ${next_segment} is the
 * number of the next segment that is begun; 0: there is none yet.  *ret_since is the first segment whose index has all names.
 *
 * Errors: -errno; then the names from before are set again.
 */
int store_ids_settle(int dir_fd, uint64_t next_segment, uint64_t *ret_since);

/** store_ids_load(path): set the names that the store at ${path} was written with; no file, or one that makes no
 * sense: the built-in ones stay. */
int store_ids_load(const char *path);
