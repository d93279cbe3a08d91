/* ---- vmsplice(2): the pipe holds a reference for reading (FOLL_GET), which it takes by the lockless walk ---- */

#include <sys/uio.h>

static int pipe_of[MOST_REFERENCES][2], copy_of[MOST_REFERENCES][2];

static void vmsplice_prepare(int ref)
{
	if (pipe2(pipe_of[ref], O_NONBLOCK | O_CLOEXEC) != 0 || pipe2(copy_of[ref], O_NONBLOCK | O_CLOEXEC) != 0)
		broken("pipe: %s", strerror(errno));
}

static int vmsplice_take(int ref, char *page)
{
	struct iovec whole = { page, PAGE_BYTES };
	long done = vmsplice(pipe_of[ref][1], &whole, 1, 0);
	if (done == PAGE_BYTES)
		return 1;
	if (done < 0 && errno == EFAULT)
		return 0;
	broken("vmsplice: %s", done < 0 ? strerror(errno) : "less than a page");
}

/* A second pipe gets the page too and is read, so that the first one goes on holding it. */
static long vmsplice_load(int ref, int word)
{
	long bytes[PAGE_BYTES / sizeof(long)];
	if (tee(pipe_of[ref][0], copy_of[ref][1], PAGE_BYTES, SPLICE_F_NONBLOCK) != PAGE_BYTES ||
	    read(copy_of[ref][0], bytes, PAGE_BYTES) != PAGE_BYTES)
		broken("tee and read: %s", strerror(errno));
	return bytes[FIRST_WORD / 8 + word];
}

/* Other processes have the pipe open too: it is emptied, not closed. */
static void vmsplice_release(int ref)
{
	char bytes[PAGE_BYTES];
	if (read(pipe_of[ref][0], bytes, PAGE_BYTES) != PAGE_BYTES)
		broken("read: %s", strerror(errno));
}

static void vmsplice_discard(int ref)
{
	for (int end = 0; end < 2; end++) {
		close(pipe_of[ref][end]);
		close(copy_of[ref][end]);
	}
}

static const struct way by_vmsplice = {
	.name = "vmsplice",
	.prepare = vmsplice_prepare,
	.take = vmsplice_take,
	.load = vmsplice_load,
	.release = vmsplice_release,
	.discard = vmsplice_discard,
};

static const char *vmsplice_probe(void)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return because("pipe: %s", strerror(errno));
	struct iovec some = { (void *)(uintptr_t)on_fault, 1 };
	const char *why = vmsplice(ends[1], &some, 1, SPLICE_F_NONBLOCK) < 0 ? because("vmsplice: %s", strerror(errno)) : NULL;
	close(ends[0]);
	close(ends[1]);
	return why;
}

static const struct part vmsplice_part = { .probe = vmsplice_probe };
