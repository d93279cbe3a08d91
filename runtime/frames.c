/*
 * ---- Page frames: how many copies of pages a run makes, seen by the numbers of frames in /proc/<pid>/pagemap ----
 *
 * Each process looks at the frames of its pages after each of its statements, and when it is born. A page that has gone
 * from one frame to another was copied, unless something else may have moved it: what cannot be told is
 * counted as a copy that may have been. Looking takes no reference and changes nothing, but it takes time, and mmap_lock
 * for reading; so every other run goes without.
 */

enum { PRESENT_BIT = 63, SWAPPED_BIT = 62, MAPPED_ONCE_BIT = 56, FRAME_BITS = 55 };

/* What a page is made of, instead of a frame. */
enum { NO_FRAME = 0, IN_SWAP = -1 };

static const char *frames_hidden; /* why frames cannot be seen; NULL if they can */
static long zero_frame;

static int pagemap_file = -1;
static atomic_flag looking = ATOMIC_FLAG_INIT;

/* What this process saw last; a child begins with what its parent saw last before fork. */
static struct {
	long frame[MOST_PAGES];
	int begun, ended; /* moves: see struct shared */
} last_look;

static long frame_in(uint64_t entry)
{
	long frame = (long)(entry & (((uint64_t)1 << FRAME_BITS) - 1));
	if (entry >> SWAPPED_BIT & 1)
		return IN_SWAP;
	return (entry >> PRESENT_BIT & 1) && frame != zero_frame ? frame : NO_FRAME;
}

static char *anonymous_page(void)
{
	char *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		broken("no memory: %s", strerror(errno));
	madvise(page, PAGE_BYTES, MADV_NOHUGEPAGE);
	return page;
}

/* The frame that the kernel maps where memory is read that nobody has written; 0 if it maps none for all. */
static long find_zero_frame(void)
{
	char *page = anonymous_page();
	(void)*(volatile char *)page;
	uint64_t entry = pagemap_of(page);
	munmap(page, PAGE_BYTES);
	/* A page of one's own, which is what some kernels give, is mapped once. */
	return entry >> MAPPED_ONCE_BIT & 1 ? 0 : frame_in(entry);
}

static void frames_begin(void)
{
	frames_hidden = pagemap_probe();
	if (frames_hidden != NULL)
		return;
	char *page = anonymous_page();
	*(volatile char *)page = 1;
	zero_frame = 0;
	frames_hidden = frame_in(pagemap_of(page)) == NO_FRAME
				? "frame numbers in /proc/self/pagemap are for CAP_SYS_ADMIN alone"
				: NULL;
	munmap(page, PAGE_BYTES);
	if (frames_hidden == NULL)
		zero_frame = find_zero_frame();
}

/* Whether the process has threads that may change its pages between two looks of one of them. */
static int has_threads(int process)
{
	int threads = 0;
	for (int t = 0; t < T->threads; t++)
		threads += T->thread[t].process == process;
	return threads > 1;
}

/*
 * One page may have changed since the last look. A process of one thread makes one copy of a page at most between two
 * looks. One of several threads may have made any number that nobody saw.
 *
 * copied: whether what the process did may copy this page
 * quiet: whether neither reclaim nor KSM was at work meanwhile
 */
static void note(long before, long now, int copied, int quiet, int threads)
{
	int moved = before > 0 && now > 0 && before != now;
	int swapped = (before == IN_SWAP || now == IN_SWAP) && (before != now || !quiet);
	if (threads)
		atomic_fetch_add(&S->copies, moved && !T->moves);
	else if (moved && copied && quiet)
		atomic_fetch_add(&S->copies, 1);
	/* In swap it had another frame, of which nobody knows; and ksmd merges, or copies. */
	else if (moved || (swapped && copied))
		atomic_fetch_add(&S->perhaps, 1);
}

/* Looks at the frames of this process; of the pages in `copied` it may have made copies since it looked last. */
static void look_at_frames(int process, unsigned copied)
{
	uint64_t entry[MOST_PAGES * PAGE_DISTANCE / PAGE_BYTES];
	if (!S->counting)
		return;
	while (atomic_flag_test_and_set(&looking))
		sched_yield();
	int begun = atomic_load(&S->moves_begun), ended = atomic_load(&S->moves_ended);
	if (pread(pagemap_file, entry, sizeof entry, (off_t)((uintptr_t)FIRST_PAGE / PAGE_BYTES * 8)) != sizeof entry)
		broken("/proc/self/pagemap cannot be read: %s", strerror(errno));
	int quiet = last_look.begun == last_look.ended && last_look.begun == atomic_load(&S->moves_begun);
	int threads = has_threads(process);
	if (threads)
		atomic_store(&S->unseen, 1);
	for (int p = 0; p < T->pages; p++) {
		long now = frame_in(entry[T->page[p].rank * PAGE_DISTANCE / PAGE_BYTES]);
		note(last_look.frame[p], now, copied >> p & 1, quiet, threads);
		last_look.frame[p] = now;
	}
	last_look.begun = begun;
	last_look.ended = ended;
	atomic_flag_clear(&looking);
}

/* The first look of a process: at what fork has copied for it. */
static void begin_looking(int process, int forked)
{
	if (!S->counting)
		return;
	atomic_flag_clear(&looking); /* fork may have come while another thread of the parent was looking */
	if (pagemap_file >= 0)
		close(pagemap_file);
	pagemap_file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap_file < 0)
		broken("/proc/self/pagemap cannot be read: %s", strerror(errno));
	/* What a thread of the parent had copied since the parent looked would be taken for a copy of fork's. */
	if (!forked || atomic_load(&S->unseen))
		memset(last_look.frame, 0, sizeof last_look.frame);
	look_at_frames(process, ~0u);
}

/* Somebody begins to do what may move pages of any process: reclaim, KSM. */
PART void move_begins(void)
{
	atomic_fetch_add(&S->moves_begun, 1);
}

PART void move_ends(void)
{
	atomic_fetch_add(&S->moves_ended, 1);
}

/* KSM has merged this page: where it is now, it was not copied to. */
PART void note_merged(int page)
{
	last_look.frame[page] = NO_FRAME;
}

/* The number of copies in the run that is over, as far as it can be told. */
static void describe_copies(FILE *to)
{
	int least = atomic_load(&S->copies), most = least + atomic_load(&S->perhaps);
	if (!S->counting)
		return;
	if (atomic_load(&S->unseen))
		fprintf(to, "| copies %d or more ", least);
	else if (most > least)
		fprintf(to, "| copies %d to %d ", least, most);
	else
		fprintf(to, "| copies %d ", least);
}
