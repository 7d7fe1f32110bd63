/*
 * tests/unit/test_skeletons.c - the known forms of messages.
 */
#include <stdio.h>

#include "check.h"
#include "store/skeletons.h"

static char dir[] = "/tmp/weir-test-skeletons-XXXXXX";
static char name[64];

static void
test_kept(void)
{
	struct skeletons *k = NULL;
	struct wall first = { 0 };
	uint64_t i;

	MUST(skeletons_open(&k, dir) == 0);
	CHECK(!skeletons_find(k, 1, &first));
	for (i = 1; i <= 5000; i++)
		MUST(skeletons_add(k, i * 77, (struct wall){ (int64_t)i }) == 0);
	CHECK(skeletons_add(k, 77, (struct wall){ 999 }) == 0);
	CHECK(skeletons_save(k) == 0);
	MUST(skeletons_add(k, 13, (struct wall){ 1 }) == 0);
	k = skeletons_close(k);
	MUST(skeletons_open(&k, dir) == 0);
	CHECK(skeletons_count(k) == 5000);
	CHECK(skeletons_find(k, 77, &first) && first.ns == 1);
	CHECK(skeletons_find(k, 5000 * 77, &first) && first.ns == 5000);
	CHECK(!skeletons_find(k, 13, &first));
	(void)skeletons_close(k);
}

/* A cut end is written over; a damaged entry in the middle costs itself. */
static void
test_damaged(void)
{
	struct skeletons *k = NULL;
	struct wall first = { 0 };
	FILE *f;

	MUST(truncate(name, 5000 * 24 - 5) == 0);
	f = fopen(name, "r+");
	MUST(f != NULL && fseek(f, 24 * 10 + 3, SEEK_SET) == 0 && fputc(0x5a, f) != EOF);
	(void)fclose(f);
	MUST(skeletons_open(&k, dir) == 0);
	CHECK(skeletons_count(k) == 4998);
	CHECK(!skeletons_find(k, 11 * 77, &first) && !skeletons_find(k, 5000 * 77, &first));
	MUST(skeletons_add(k, 13, (struct wall){ 7 }) == 0);
	CHECK(skeletons_save(k) == 0);
	k = skeletons_close(k);
	MUST(skeletons_open(&k, dir) == 0);
	CHECK(skeletons_count(k) == 4999);
	CHECK(skeletons_find(k, 13, &first) && first.ns == 7);
	(void)skeletons_close(k);
}

int
main(void)
{
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(name, sizeof(name), "%s/skeletons", dir);
	test_kept();
	test_damaged();
	(void)unlink(name);
	(void)rmdir(dir);
	return check_done();
}
