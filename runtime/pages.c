/*
 * ---- What the kernel tells of each page when a run is over, while references are still held (--pages) ----
 *
 * Frames are called A, B, ... in the order in which they are met. The mapcount is that of /proc/kpagecount, the rest
 * comes from /proc/kpageflags. Not all of that is true on all kernels: PageAnonExclusive has the place of another flag before
 * v5.19, and from v6.10 on KSM's flag was set for every anonymous page for some years. A page of which both are
 * known tells which of them can be believed here.
 */

enum { KPF_LRU_BIT = 5, KPF_ANON_BIT = 12, KPF_SWAPCACHE_BIT = 13, KPF_KSM_BIT = 21, KPF_EXCLUSIVE_BIT = 34 };

static int pages_wanted;
static const char *pages_hidden; /* why nothing can be told; NULL if it can */
static int shows_exclusive, shows_ksm;

/* One number of /proc/kpagecount or /proc/kpageflags; 0 if it cannot be read. */
static int of_frame(const char *path, long frame, uint64_t *number)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int done = file >= 0 && pread(file, number, 8, (off_t)frame * 8) == 8;
	if (file >= 0)
		close(file);
	return done;
}

static void pages_begin(void)
{
	uint64_t flags = 0, count = 0;
	pages_hidden = frames_hidden;
	if (!pages_wanted)
		return;
	if (pages_hidden != NULL) {
		printf("Pages not shown: %s\n", pages_hidden);
		return;
	}
	char *page = anonymous_page();
	*(volatile char *)page = 1;
	long frame = frame_in(pagemap_of(page));
	if (!of_frame("/proc/kpageflags", frame, &flags) || !of_frame("/proc/kpagecount", frame, &count))
		pages_hidden = because("/proc/kpageflags or /proc/kpagecount cannot be read: %s", strerror(errno));
	munmap(page, PAGE_BYTES);
	/* That page is its owner’s alone, and no page of KSM's. */
	shows_exclusive = (int)(flags >> KPF_EXCLUSIVE_BIT & 1);
	shows_ksm = !(flags >> KPF_KSM_BIT & 1);
	if (pages_hidden != NULL)
		printf("Pages not shown: %s\n", pages_hidden);
	if (pages_hidden == NULL && !shows_exclusive)
		printf("Pages without PageAnonExclusive: this kernel does not have it, or does not show it\n");
	if (pages_hidden == NULL && !shows_ksm)
		printf("Pages without KSM's flag: this kernel shows it for every anonymous page\n");
}

static void describe_frame(FILE *to, long frame, long *known, int *names)
{
	uint64_t flags = 0, count = 0;
	int name = 0;
	if (frame == IN_SWAP || frame == NO_FRAME) {
		fputs(frame == IN_SWAP ? "in swap " : "none of its own ", to);
		return;
	}
	while (name < *names && known[name] != frame)
		name++;
	if (name == *names)
		known[(*names)++] = frame;
	of_frame("/proc/kpageflags", frame, &flags);
	of_frame("/proc/kpagecount", frame, &count);
	fprintf(to, "%c, mapcount %d%s%s%s%s%s ", 'A' + name, (int)count, flags >> KPF_ANON_BIT & 1 ? ", anon" : "",
		shows_exclusive && (flags >> KPF_EXCLUSIVE_BIT & 1) ? ", exclusive" : "",
		shows_ksm && (flags >> KPF_KSM_BIT & 1) ? ", KSM" : "",
		flags >> KPF_SWAPCACHE_BIT & 1 ? ", swap cache" : "", flags >> KPF_LRU_BIT & 1 ? "" : ", in a batch");
}

/* All pages of all processes that are left. */
static void describe_pages(FILE *to)
{
	long known[MOST_PROCESSES * MOST_PAGES];
	int names = 0;
	if (!pages_wanted || pages_hidden != NULL)
		return;
	for (int m = 0; m < T->processes; m++) {
		char path[60];
		if (atomic_load(&S->pid[m]) == 0 || atomic_load(&S->gone[m]))
			continue;
		snprintf(path, sizeof path, "/proc/%d/pagemap", atomic_load(&S->pid[m]));
		int file = open(path, O_RDONLY | O_CLOEXEC);
		for (int p = 0; p < T->pages; p++) {
			uint64_t entry = 0;
			if (pread(file, &entry, 8, (off_t)((uintptr_t)page_at(p) / PAGE_BYTES * 8)) != 8)
				continue;
			fprintf(to, "| page %s.%s: ", T->process[m], T->page[p].name);
			describe_frame(to, frame_in(entry), known, &names);
		}
		if (file >= 0)
			close(file);
	}
}
