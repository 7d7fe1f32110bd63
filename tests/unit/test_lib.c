/*
 * tests/unit/test_lib.c - libweir.
 * One job: what weir.h promises to other programs, through the shared library alone.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "weir/weir.h"

#define T0 INT64_C(1769860800000000000) /* 2026-01-31T12:00:00Z */

static char dir[] = "/tmp/weir-test-lib-XXXXXX";

static int
add(struct weir_writer *w, int64_t time_ns, const char *msg)
{
	struct weir_field fields[] = { { "_msg", msg, strlen(msg) }, { "empty", "", 0 },
		{ "bytes", "a\0b", 3 } };

	return weir_writer_add(w, time_ns, "{b=\"2\",a=\"1\"}", fields, 3);
}

static size_t
count(struct weir_store *s, const char *query, const struct weir_query_options *opt)
{
	struct weir_rows *r = NULL;
	size_t n = 0;

	MUST(weir_query_with(s, query, opt, &r) == 0);
	while (weir_rows_next(r) == 1)
		n++;
	CHECK(weir_rows_next(r) == 0);
	weir_rows_free(r);
	return n;
}

/* Rows are there when commit returns, and not before; what was not committed never is. */
static void
test_commit(void)
{
	struct weir_writer *w = NULL, *second = NULL;
	struct weir_store *s = NULL;

	MUST(weir_writer_open(dir, &w) == 0);
	CHECK(weir_writer_open(dir, &second) == -EBUSY && *weir_error() != '\0');
	CHECK(add(w, T0 + 2, "two") == 0);
	CHECK(add(w, T0 + 1, "one") == 0);
	MUST(weir_writer_commit(w) == 0);
	MUST(weir_store_open(dir, &s) == 0);
	CHECK(count(s, "*", NULL) == 2);
	CHECK(add(w, T0 + 3, "three") == 0);
	CHECK(weir_store_refresh(s) == 0);
	CHECK(count(s, "*", NULL) == 2);
	CHECK(weir_writer_commit(w) == 0);
	CHECK(count(s, "*", NULL) == 2);
	CHECK(weir_store_refresh(s) == 0);
	CHECK(count(s, "*", NULL) == 3);
	CHECK(add(w, T0 + 4, "never") == 0);
	weir_writer_close(w);
	CHECK(weir_store_refresh(s) == 0);
	CHECK(count(s, "*", NULL) == 3);
	weir_store_close(s);
}

static void
test_refused(void)
{
	struct weir_field twice[] = { { "a", "1", 1 }, { "a", "2", 1 } };
	struct weir_field time = { "_time", "1", 1 };
	struct weir_writer *w = NULL;
	struct weir_store *s = NULL;
	struct weir_rows *r = NULL;

	CHECK(weir_store_open("/nonexistent/store", &s) == -ENOENT);
	CHECK(strstr(weir_error(), "/nonexistent/store") != NULL);
	MUST(weir_writer_open(dir, &w) == 0);
	CHECK(weir_writer_add(w, T0, NULL, twice, 2) == -EINVAL);
	CHECK(weir_writer_add(w, T0, NULL, &time, 1) == -EINVAL);
	CHECK(weir_writer_add(w, T0, "a=b", twice, 1) == -EINVAL);
	weir_writer_close(w);
	MUST(weir_store_open(dir, &s) == 0);
	CHECK(weir_query(s, "a and (", &r) == -EINVAL);
	CHECK(strstr(weir_error(), "column") != NULL);
	weir_store_close(s);
	weir_store_close(NULL);
	weir_rows_free(NULL);
	weir_writer_close(NULL);
}

static void
test_values(void)
{
	const char *name = NULL, *value = NULL;
	struct weir_store *s = NULL;
	struct weir_rows *r = NULL;
	size_t len = 0, i, seen = 0;

	MUST(weir_store_open(dir, &s) == 0);
	MUST(weir_query(s, "one", &r) == 0);
	CHECK(weir_store_refresh(s) == -EBUSY);
	MUST(weir_rows_next(r) == 1);
	CHECK(strcmp(weir_rows_value(r, "_msg"), "one") == 0);
	CHECK(strcmp(weir_rows_value(r, "_stream"), "{a=\"1\",b=\"2\"}") == 0);
	CHECK(strcmp(weir_rows_value(r, "_time"), "2026-01-31T12:00:00.000000001Z") == 0);
	CHECK(*weir_rows_value(r, "none") == '\0');
	for (i = 0; i < weir_rows_n_fields(r); i++) {
		weir_rows_field(r, i, &name, &value, &len);
		CHECK(strcmp(name, "empty") != 0);
		if (strcmp(name, "bytes") == 0)
			seen += len == 3 && memcmp(value, "a\0b", 4) == 0;
	}
	CHECK(seen == 1);
	CHECK(weir_rows_next(r) == 0);
	CHECK(weir_rows_n_fields(r) == 0);
	weir_rows_free(r);
	weir_store_close(s);
}

static void
test_bounds(void)
{
	struct weir_query_options opt = { 0 };
	struct weir_store *s = NULL;
	struct weir_rows *r = NULL;

	MUST(weir_store_open(dir, &s) == 0);
	CHECK(count(s, "*", &opt) == 3);
	opt.since_ns = T0 + 2;
	CHECK(count(s, "*", &opt) == 2);
	opt.until_ns = T0 + 3;
	CHECK(count(s, "*", &opt) == 1);
	opt.since_ns = 0;
	CHECK(count(s, "*", &opt) == 2);
	/* The newest, in order. */
	opt = (struct weir_query_options){ .limit = 2, .n_threads = 1 };
	MUST(weir_query_with(s, "*", &opt, &r) == 0);
	MUST(weir_rows_next(r) == 1);
	CHECK(strcmp(weir_rows_value(r, "_msg"), "two") == 0);
	MUST(weir_rows_next(r) == 1);
	CHECK(strcmp(weir_rows_value(r, "_msg"), "three") == 0);
	weir_rows_free(r);
	weir_store_close(s);
}

static pthread_t caller;
static volatile sig_atomic_t n_signals, n_elsewhere;

static void
on_signal(int number)
{
	n_signals++;
	n_elsewhere += !pthread_equal(pthread_self(), caller);
}

/* More rows than pages hold: the query waits in its threads, while signals come for the program alone. */
static void
test_many(void)
{
	static char text[8192];
	struct weir_writer *w = NULL;
	struct weir_store *s = NULL;
	struct weir_rows *r = NULL;
	size_t n = 0, i;

	memset(text, 'x', sizeof(text) - 1);
	caller = pthread_self();
	(void)signal(SIGUSR1, on_signal);
	MUST(weir_writer_open(dir, &w) == 0);
	for (i = 0; i < 2000; i++)
		MUST(add(w, T0 + 100 + (int64_t)i, text) == 0);
	MUST(weir_writer_commit(w) == 0);
	weir_writer_close(w);
	MUST(weir_store_open(dir, &s) == 0);
	/* Left in the middle. */
	MUST(weir_query(s, "*", &r) == 0);
	CHECK(weir_rows_next(r) == 1);
	weir_rows_free(r);
	MUST(weir_query(s, "*", &r) == 0);
	for (i = 0; i < 50; i++)
		(void)kill(getpid(), SIGUSR1);
	while (weir_rows_next(r) == 1)
		n++;
	weir_rows_free(r);
	weir_store_close(s);
	CHECK(n == 2003);
	CHECK(n_signals > 0 && n_elsewhere == 0);
}

int
main(void)
{
	char command[sizeof(dir) + 16];

	MUST(mkdtemp(dir) != NULL);
	CHECK(weir_error() != NULL);
	test_commit();
	test_refused();
	test_values();
	test_bounds();
	test_many();
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(system(command) == 0);
	return check_done();
}
