/*
 * ingest/journal_open.c - opening the journal.
 * One job: have all files open that can be, and tell of each that cannot.
 * Floor: 3 (uses base).
 *
 * libsystemd passes over files that it cannot open without a word, so each is opened alone first.  While no file is set
 * aside, libsystemd follows the folders itself; else it gets a list, and new files are for us to see.
 */
#include <stdio.h>

#include "ingest/journal.h"
#include "ingest/journal_reader.h"

void
journal_reader_close(struct journal_reader *rd)
{
	if (rd->j != NULL)
		sd_journal_close(rd->j);
	rd->j = NULL;
}

static int
open_now(struct journal_reader *rd, const struct journal_file *f)
{
	struct journal_proto_file msg = { .path = STR_NONE };

	if (f != NULL) {
		msg.id = f->id;
		msg.path = str_c(f->path);
	}
	journal_proto_put_file(&rd->out, JOURNAL_FRAME_NOW, &msg);
	return journal_reader_send(rd);
}

/* A file that does not open may still be in the making; an old one is set aside. */
static int
open_check(struct journal_reader *rd, struct journal_file *f)
{
	const char *paths[] = { f->path, NULL };
	int64_t age = wall_now().ns - f->modified.ns;
	sd_journal *j = NULL;
	char reason[128];
	int r, k;

	r = open_now(rd, f);
	if (r != 0)
		return r;
	k = sd_journal_open_files(&j, paths, 0);
	if (k >= 0) {
		f->apart = journal_apart_is(rd, j);
		sd_journal_close(j);
		return 0;
	}
	f->unsure = k == -EMFILE || k == -ENFILE || k == -ENOMEM || k == -ENOENT ||
	    ((rd->opt.flags & JOURNAL_ONCE) == 0 && age >= 0 && age < READER_YOUNG_S * NS_PER_S);
	if (f->unsure)
		return 0;
	f->bad = true;
	(void)snprintf(reason, sizeof(reason), "it cannot be opened: %s", err_str(k));
	return journal_reader_tell_aside(rd, f, reason, false);
}

/* Files that were not there when the journal was opened last. */
static int
open_check_new(struct journal_reader *rd, struct journal_files *fs, bool *ret_any)
{
	size_t i, k;
	int r = 0;

	*ret_any = false;
	rd->unsure = false;
	for (i = 0; r == 0 && i < fs->n; i++) {
		struct journal_file *f = &fs->files[i];

		for (k = 0; k < rd->files.n; k++)
			if (!rd->files.files[k].unsure &&
			    journal_file_id_eq(&rd->files.files[k].id, &f->id))
				break;
		f->bad = k < rd->files.n && rd->files.files[k].bad;
		f->apart = k < rd->files.n && rd->files.files[k].apart;
		if (k < rd->files.n || f->denied || journal_reader_is_aside(rd, &f->id))
			continue;
		*ret_any = true;
		r = open_check(rd, f);
		rd->unsure |= f->unsure;
	}
	if (r == 0 && *ret_any)
		r = open_now(rd, NULL);
	return r;
}

static void
open_notes(struct journal_reader *rd)
{
	if (rd->files.denied && !rd->noted_denied) {
		journal_reader_note(rd,
		    "journal files may not be read: %s: permission denied; lost entries cannot be told",
		    rd->path != NULL ? rd->path : "the journal of this machine");
		rd->noted_denied = true;
	}
	if (rd->files.n == 0 && !rd->noted_nothing) {
		journal_reader_note(rd, "journal is empty: %s: no files there yet",
		    rd->path != NULL ? rd->path : "/run/log/journal, /var/log/journal");
		rd->noted_nothing = true;
	}
	if (rd->files.n != 0)
		rd->noted_nothing = false;
}

/* The files that are left when some are set aside, or read apart. */
static int
open_chosen(struct journal_reader *rd)
{
	const char **paths;
	size_t i, n = 0;
	int r;

	paths = arena_zalloc(&rd->paths, rd->files.n + 1, sizeof(*paths));
	if (paths == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rd->files.n; i++)
		if (!rd->files.files[i].denied && !rd->files.files[i].bad &&
		    !rd->files.files[i].apart &&
		    !journal_reader_is_aside(rd, &rd->files.files[i].id))
			paths[n++] = rd->files.files[i].path;
	if (n == 0)
		return READER_E_REOPEN;
	r = sd_journal_open_files(&rd->j, paths, 0);
	/* one that has gone or is in the making: look again soon */
	return r >= 0 ? 0 : READER_E_REOPEN;
}

static bool
any_kept_out(const struct journal_reader *rd)
{
	size_t i;

	for (i = 0; i < rd->files.n; i++)
		if (rd->files.files[i].apart || journal_reader_is_aside(rd, &rd->files.files[i].id))
			return true;
	return false;
}

static int
open_all(struct journal_reader *rd)
{
	int r;

	arena_clear(&rd->paths);
	rd->chosen = any_kept_out(rd);
	if (rd->chosen)
		r = open_chosen(rd);
	else if (rd->path != NULL)
		r = sd_journal_open_directory(&rd->j, rd->path, 0);
	else
		r = sd_journal_open(&rd->j, SD_JOURNAL_LOCAL_ONLY);
	if (r < 0) {
		journal_reader_note(rd, "journal does not open: %s: %s",
		    rd->path != NULL ? rd->path : "this machine's", err_str(r));
		return READER_E_REOPEN;
	}
	if (r > 0)
		return r;
	(void)sd_journal_set_data_threshold(rd->j, 0);
	return 0;
}

int
journal_reader_open(struct journal_reader *rd)
{
	struct journal_files fs = { 0 };
	bool any;
	int r;

	if (rd->probe) {
		rd->probe = false;
		r = journal_probe(rd);
		if (r != 0)
			return r;
	}
	r = journal_files_list(&fs, rd->path);
	if (r == 0)
		r = open_check_new(rd, &fs, &any);
	journal_files_fini(&rd->files);
	rd->files = fs;
	rd->listed = mono_now();
	if (r != 0)
		return r;
	open_notes(rd);
	r = open_all(rd);
	if (r != 0)
		return r;
	/* before the seek, so that nothing comes unseen between the two; without inotify we look again by the clock */
	(void)sd_journal_get_fd(rd->j);
	r = journal_seek(rd);
	return r != 0 ? r : journal_reader_send(rd);
}

int
journal_reader_new_files(struct journal_reader *rd)
{
	struct journal_files fs = { 0 };
	bool any, same;
	int r;

	rd->listed = mono_now();
	r = journal_files_list(&fs, rd->path);
	if (r == 0)
		r = open_check_new(rd, &fs, &any);
	same = journal_files_same(&rd->files, &fs);
	journal_files_fini(&rd->files);
	rd->files = fs;
	if (r != 0)
		return r;
	/* libsystemd has opened them already, unless it only knows a list, or a new one must be kept from it */
	return !same && (rd->chosen || any_kept_out(rd)) ? READER_E_REOPEN : 0;
}
