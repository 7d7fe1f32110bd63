/*
 * ingest/journal_files.h - the journal's files.
 * One job: know which files there are, whatever libsystemd says (it skips bad ones without a word).
 * Floor: 3 (uses base).
 */
#pragma once

#include "ingest/journal_proto.h"

enum { JOURNAL_FILES_MAX = 8192 }; /* beyond it the rest is not looked at one by one */

struct journal_file {
	struct journal_file_id id;
	char *path;
	struct wall modified;
	uint64_t n_bytes;
	bool denied;
	bool bad;    /* does not open, and will not */
	bool apart;  /* ends in the future: read by itself (journal_apart.c) */
	bool unsure; /* did not open, but may do so later: to be looked at again */
};

struct journal_files {
	struct journal_file *files;
	size_t n, cap;
	bool
	    denied; /* some file may not be read by us: the numbers will have gaps that are no loss */
};

void journal_files_fini(struct journal_files *fs);

/**
 * journal_files_list(fs, dir):
 * The journal files in ${dir} and its machine folders, or (NULL) of this machine, as libsystemd looks for them.
 * Replaces what is in ${fs}.
 */
int journal_files_list(struct journal_files *fs, const char *dir);

/** journal_files_same(a, b): the same files, whatever their order. */
bool journal_files_same(const struct journal_files *a, const struct journal_files *b);
