/*
 * tests/unit/test_store_kill.c - kill -9 at any moment.
 * One job: a writer that commits, seals and merges is killed again and again; rows and position stay one fact.
 */
#include <signal.h>
#include <sys/wait.h>

#include "store_rows.h"

static char dir[64], path[80];

static struct store *
open_store(struct wall now)
{
	struct store_options opt = { .seal_bytes = 60000 };
	struct store *s = NULL;
	struct buf err = BUF_INIT;

	if (store_open(&s, path, &opt, now, &err) != 0) {
		fprintf(stderr, "open: %s\n", buf_c_str(&err));
		_exit(9);
	}
	buf_fini(&err);
	return s;
}

static uint64_t
position(struct store *s)
{
	struct str p = store_position_get(s, STR("p"));

	return p.n > 0 ? strtoull((const char *)p.p, NULL, 10) : 0;
}

static void
write_for_ever(struct wall now)
{
	struct store *s = open_store(now);
	uint64_t n = position(s);
	char num[24];

	for (;;) {
		if (rows_append(s, n, 40) != 0)
			_exit(8);
		n += 40;
		(void)snprintf(num, sizeof(num), "%" PRIu64, n);
		if (store_position(s, STR("p"), str_of(num, strlen(num) + 1)) != 0)
			_exit(7);
		now.ns += NS_PER_S;
		if (store_commit(s, now) != 0 || store_maintain(s, now) != 0)
			_exit(6);
	}
}

int
main(int argc, char **argv)
{
	int i, status = 0, kills = argc > 1 ? atoi(argv[1]) : 60;
	struct wall now = { 1700000000 * NS_PER_S };
	struct store *s;
	size_t n_faults = 0;
	uint64_t n;
	pid_t pid;

	(void)snprintf(dir, sizeof(dir), "%s/weir-test-kill-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/store", dir);
	for (i = 0; i < kills; i++, now.ns += NS_PER_MIN) {
		pid = fork();
		MUST(pid >= 0);
		if (pid == 0)
			write_for_ever(now);
		(void)usleep((useconds_t)(rand() % 30000 + 3000));
		(void)kill(pid, SIGKILL);
		MUST(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status));
		if (i % 5 != 4)
			continue;
		s = open_store(now);
		n = position(s);
		s = store_close(s);
		CHECK(rows_check(path, n, n + 1000));
		CHECK(store_verify(path, rows_print_fault, NULL, &n_faults) == 0);
		CHECK(n_faults == 0);
	}
	rows_remove_dir(path);
	(void)rmdir(dir);
	return check_done();
}
