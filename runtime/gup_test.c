/*
 * ---- /sys/kernel/debug/gup_test: long-term pins (FOLL_PIN, FOLL_LONGTERM), of just the kind that is asked for ----
 *
 * The kernel's own file for tests (CONFIG_GUP_TEST, from v6.2 on) pins pages for reading or for writing, by the slow walk or by the
 * fast one, and copies to memory what they hold; nothing is ever stored through it. Up to v7.2 all of the machine has one
 * such set of pages, and whoever closes the file lets them go; in v7.3 each open file has its own. So each run opens it once
 * for all of its processes, takes one reference with it, and on older kernels nobody else can use it meanwhile.
 */

#include <sys/ioctl.h>

#define GUP_TEST_FILE "/sys/kernel/debug/gup_test"

struct gup_test_pages {
	uint64_t address, bytes;
	uint32_t flags;
};
enum { GUP_TEST_FOR_WRITE = 1, GUP_TEST_FAST = 2 };

#define GUP_TEST_START _IOW('g', 7, struct gup_test_pages)
#define GUP_TEST_STOP _IO('g', 8)
#define GUP_TEST_READ _IOW('g', 9, uint64_t)

static int gup_test_file = -1;
static long *gup_test_bytes; /* what the page held; shared, so that a look copies no page of the process that looks */

static void gup_test_prepare(int ref)
{
	(void)ref;
	if (gup_test_bytes == NULL)
		gup_test_bytes = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	gup_test_file = open(GUP_TEST_FILE, O_RDWR | O_CLOEXEC);
	if (gup_test_bytes == MAP_FAILED || gup_test_file < 0)
		broken(GUP_TEST_FILE ": %s", strerror(errno));
}

static int gup_test_pin(int ref, char *page, uint32_t flags)
{
	for (int w = 0; w < MOST_WORDS; w++)
		if (T->reference[ref].stores[w] > 0)
			flags |= GUP_TEST_FOR_WRITE;
	struct gup_test_pages pages = { (uintptr_t)page, PAGE_BYTES, flags };
	if (ioctl(gup_test_file, GUP_TEST_START, &pages) == 0)
		return 1;
	if (errno == EFAULT)
		return 0;
	broken(GUP_TEST_FILE ", to pin: %s", errno == EINVAL ? "it holds pages of somebody else" : strerror(errno));
}

static int gup_test_take(int ref, char *page)
{
	return gup_test_pin(ref, page, 0);
}

static int gup_test_take_fast(int ref, char *page)
{
	return gup_test_pin(ref, page, GUP_TEST_FAST);
}

static long gup_test_load(int ref, int word)
{
	(void)ref;
	uint64_t to = (uintptr_t)gup_test_bytes;
	if (ioctl(gup_test_file, GUP_TEST_READ, &to) != 0)
		broken(GUP_TEST_FILE ", to read: %s",
		       errno == EINVAL ? "somebody else has let its pages go" : strerror(errno));
	return gup_test_bytes[FIRST_WORD / 8 + word];
}

/* Only references that nobody stores through are taken so. */
static void gup_test_store(int ref, int word, long value)
{
	broken(GUP_TEST_FILE " cannot store %ld to word %d of reference %d", value, word, ref);
}

static void gup_test_release(int ref)
{
	(void)ref;
	if (ioctl(gup_test_file, GUP_TEST_STOP) != 0)
		broken(GUP_TEST_FILE ", to unpin: %s", strerror(errno));
}

static void gup_test_discard(int ref)
{
	(void)ref;
	close(gup_test_file);
}

PART const struct way by_gup_test = {
	.name = "gup_test",
	.prepare = gup_test_prepare,
	.take = gup_test_take,
	.load = gup_test_load,
	.store = gup_test_store,
	.release = gup_test_release,
	.discard = gup_test_discard,
};

PART const struct way by_gup_test_fast = {
	.name = "gup_test, fast",
	.prepare = gup_test_prepare,
	.take = gup_test_take_fast,
	.load = gup_test_load,
	.store = gup_test_store,
	.release = gup_test_release,
	.discard = gup_test_discard,
};

static const char *gup_test_probe(void)
{
	if (!may_change_machine)
		return "all of the machine shares " GUP_TEST_FILE ", and --system was not given";
	int file = open(GUP_TEST_FILE, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return because(GUP_TEST_FILE ": %s", strerror(errno));
	/* Of no pages at all: EFAULT if it is there and free; EINVAL before v6.2, and while it holds pages. */
	int refused = ioctl(file, GUP_TEST_START, NULL) != 0 && errno == EFAULT;
	close(file);
	return refused ? NULL : GUP_TEST_FILE " cannot hold pages, or holds somebody else's";
}

static const struct part gup_test_part = { .probe = gup_test_probe };
