/*
 * store/ids.h - which fields have the exact index in this store.
 * One job: the names of ID fields that the writer was given, for whoever asks the store later.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "base/str.h"

enum { STORE_IDS_BYTES_MAX = 64 << 10, STORE_IDS_MAX = 1024 };

/**
 * store_ids_settle(dir_fd, next_segment):
 * The writer has its names: write them to "ids", when they are others than those there, and set since when (names_set_since).
 * ${next_segment} is the number of the next segment that is begun; 0: there is none yet.
 *
 * Errors: -errno; then the names from before are set again.
 */
int store_ids_settle(int dir_fd, uint64_t next_segment);

/** store_ids_load(path): set the names that the store at ${path} was written with; no file, or one that makes no
 * sense: the built-in ones stay.  Before any thread runs that reads them. */
int store_ids_load(const char *path);
