/*
 * ingest/journal_probe.c - files that kill.
 * One job: after a crash, find the files that cause it, and set them aside.
 * Floor: 3 (uses base).
 *
 * Each file is read alone in a process of its own, the way the reader would.  Cost: once over all files, as fast
 * as libsystemd reads, and at most READER_PROBE_S for a file.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "ingest/journal.h"
#include "ingest/journal_reader.h"

enum { PROBE_OPEN_FAILED = 64, PROBE_ALARM_ENTRIES = 1024 };

bool
journal_reader_is_aside(const struct journal_reader *rd, const struct journal_file_id *id)
{
	size_t i;

	for (i = 0; i < rd->n_aside; i++)
		if (journal_file_id_eq(&rd->aside[i], id))
			return true;
	return false;
}

int
journal_reader_aside(struct journal_reader *rd, const struct journal_file *f, const char *reason)
{
	if (rd->n_aside == rd->cap_aside) {
		size_t cap = rd->cap_aside == 0 ? 16 : rd->cap_aside * 2;
		struct journal_file_id *p = realloc(rd->aside, cap * sizeof(*p));

		if (p == NULL)
			return err_origin(-ENOMEM);
		rd->aside = p;
		rd->cap_aside = cap;
	}
	rd->aside[rd->n_aside++] = f->id;
	return journal_reader_tell_aside(rd, f, reason, true);
}

int
journal_reader_tell_aside(struct journal_reader *rd, const struct journal_file *f,
    const char *reason, bool kills)
{
	struct journal_proto_file msg = {
		.id = f->id,
		.kills = kills,
		.path = str_c(f->path),
		.reason = str_c(reason),
	};

	journal_proto_put_file(&rd->out, JOURNAL_FRAME_ASIDE, &msg);
	return journal_reader_send(rd);
}

/* Forwards over all entries, or with their data; until the time is up. */
static void
probe_read(sd_journal *j, bool data, struct span until)
{
	const void *p;
	uint64_t n_entries = 0;
	size_t n;

	while (sd_journal_next(j) > 0) {
		if (data) {
			sd_journal_restart_data(j);
			while (sd_journal_enumerate_available_data(j, &p, &n) > 0)
				continue;
		}
		if (++n_entries % PROBE_ALARM_ENTRIES == 0) {
			(void)alarm(READER_STALL_S);
			if (mono_now().ns > until.ns)
				return;
		}
	}
}

static int
probe_main(const struct journal_reader *rd, const char *path)
{
	const char *paths[] = { path, NULL };
	struct span until = { mono_now().ns + READER_PROBE_S * NS_PER_S };
	sd_journal *j = NULL;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	journal_guard_off();
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(READER_STALL_S);
	if (sd_journal_open_files(&j, paths, 0) < 0)
		return PROBE_OPEN_FAILED;
	(void)sd_journal_set_data_threshold(j, 0);
	(void)sd_journal_seek_head(j);
	probe_read(j, false, until);
	(void)alarm(READER_STALL_S);
	journal_seek_plain(rd, j);
	probe_read(j, true, until);
	sd_journal_close(j);
	return 0;
}

static int
probe_file(struct journal_reader *rd, const struct journal_file *f)
{
	char reason[64];
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return err_origin(-errno);
	if (pid == 0)
		_exit(probe_main(rd, f->path));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_origin(-errno);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		(void)snprintf(reason, sizeof(reason), "reading it never ends");
	else if (WIFSIGNALED(status))
		(void)snprintf(reason, sizeof(reason), "reading it kills the reader (SIG%s)",
		    sigabbrev_np(WTERMSIG(status)));
	else
		/* one that does not open is told by the next open */
		return 0;
	return journal_reader_aside(rd, f, reason);
}

int
journal_probe(struct journal_reader *rd)
{
	struct journal_files fs = { 0 };
	size_t i;
	int r;

	r = journal_files_list(&fs, rd->path);
	for (i = 0; r == 0 && i < fs.n; i++) {
		if (fs.files[i].denied || journal_reader_is_aside(rd, &fs.files[i].id))
			continue;
		/* a sign of life for the daemon, which would take a long silence for a hang */
		journal_proto_put_state(&rd->out, JOURNAL_READER_READING);
		r = journal_reader_send(rd);
		if (r == 0)
			r = probe_file(rd, &fs.files[i]);
	}
	journal_files_fini(&fs);
	return r;
}
