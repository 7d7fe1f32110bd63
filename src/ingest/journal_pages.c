/*
 * ingest/journal_pages.c - the journal's pages in the reader's memory.
 * One job: keep few of them, however large the journal is.
 * Floor: 3 (uses base).
 *
 * libsystemd maps files in windows of 8 MiB and lets go of none while there are fewer than 64 more than it needs, so a reader of
 * a large journal comes to half a GiB.  They are pages of the kernel's cache: given back they cost nothing, and one that is
 * needed again is mapped again from there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/io.h"
#include "ingest/journal_reader.h"

enum { PAGES_MAX = 24 << 20, PAGES_MAPS_MAX = 16 << 20 };

/* Bytes of files in this process's memory; 0 when nobody says. */
static uint64_t
pages_bytes(void)
{
	AUTO_CLOSE int fd = io_open(AT_FDCWD, "/proc/self/statm", O_RDONLY, 0);
	unsigned long size, resident, shared;
	char text[128];
	size_t n = 0;

	if (fd < 0 || io_read(fd, text, sizeof(text) - 1, &n) < 0)
		return 0;
	text[n] = '\0';
	if (sscanf(text, "%lu %lu %lu", &size, &resident, &shared) != 3)
		return 0;
	return (uint64_t)shared * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A line of /proc/self/maps: what is mapped of a journal's file, to be read by all who map it. */
static void
pages_of_line(const char *line)
{
	unsigned long from, to;
	char rights[5];

	if (strstr(line, ".journal") == NULL ||
	    sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || strcmp(rights, "r--s") != 0)
		return;
	(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

void
journal_pages(void)
{
	AUTO_FINI(buf_fini) struct buf maps = BUF_INIT;
	char *line, *next;

	if (pages_bytes() < PAGES_MAX ||
	    io_read_file(AT_FDCWD, "/proc/self/maps", PAGES_MAPS_MAX, &maps) < 0)
		return;
	buf_byte(&maps, '\0');
	if (maps.failed)
		return;
	for (line = (char *)maps.p; (next = strchr(line, '\n')) != NULL; line = next + 1) {
		*next = '\0';
		pages_of_line(line);
	}
}
