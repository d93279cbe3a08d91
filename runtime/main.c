/* ---- Runs ---- */

enum { MOST_OUTCOMES = 4096 };

/* What the program was asked for. */
static struct {
	long times, timeout;
	unsigned seed;
} wish = { 100, 10000, 1 };

static long runs; /* that are over, of this test */
static volatile sig_atomic_t stopped; /* somebody wants no more of them */

static struct {
	char *text;
	long times;
} histogram[MOST_OUTCOMES];
static int outcomes;
static long condition_held[MOST_CONDITIONS];

/* Does something in a process that has things to undo and to tell, which it goes on to do if something is broken. */
static int attempt(int (*work)(void))
{
	sigjmp_buf here;
	if (sigsetjmp(here, 0) != 0)
		return EXIT_BROKEN;
	rescued = getpid();
	rescue = &here;
	int result = work();
	rescue = NULL;
	return result;
}

/* Takes note of processes that have ended. */
static void reap(void)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			has_broken("a process was ended by signal %d (%s)", WTERMSIG(status),
				   strsignal(WTERMSIG(status)));
		for (int p = 0; p < T->processes; p++)
			if (atomic_load(&S->pid[p]) == pid)
				announce(&S->gone[p], 1);
	}
}

static void end_processes(void)
{
	for (int left = 1; left > 0; usleep(100)) {
		left = 0;
		for (int p = 0; p < T->processes; p++)
			if (atomic_load(&S->pid[p]) != 0 && !atomic_load(&S->gone[p]))
				left += kill(atomic_load(&S->pid[p]), SIGKILL) == 0;
		reap();
	}
}

/* The run cannot go on: lets go what processes may hang on when they are ended. */
static void give_up(void)
{
	for (int r = 0; r < T->references; r++)
		if (way_of(r)->give_up != NULL)
			way_of(r)->give_up(r);
}

/* Whether something has come about before the time is over, and nothing has broken, or was stopped. */
static int comes_about(int (*it)(void), long deadline)
{
	for (int round = 0; !it(); round++) {
		reap();
		if (atomic_load(&S->broken) || stopped || now_ms() > deadline)
			return 0;
		if (round < 20)
			sched_yield();
		else
			usleep(200);
	}
	return 1;
}

static int all_ended(void)
{
	for (int t = 0; t < T->threads; t++)
		if (!atomic_load(&S->ended[t]))
			return 0;
	return 1;
}

static int root_threads;

static int all_at_start(void)
{
	return atomic_load(&S->arrived) >= root_threads;
}

static int turn_is_over(void)
{
	return atomic_load(&S->gone[atomic_load(&S->turn)]);
}

static void describe_value(FILE *to, long value)
{
	static const char *const special[] = { "", "unset", "segv" };
	if (value < 0)
		fprintf(to, "=%s; ", special[-value]);
	else
		fprintf(to, "=%ld; ", value);
}

/* The words of a page that hold something, under their owner's name and that of the page or the reference. */
static void describe_words(FILE *to, const char *owner, const char *name, const struct page *page, const long *value)
{
	for (int w = 0; w < page->words; w++) {
		if (value[w] == UNSET)
			continue;
		fprintf(to, "%s.%s", owner, name);
		if (page->words > 1)
			fprintf(to, ".%s", page->word[w]);
		describe_value(to, value[w]);
	}
}

/* The outcome of the run that is over, on one line. */
static void describe(FILE *to)
{
	for (int r = 0; r < T->registers; r++) {
		fputs(T->registerName[r], to);
		describe_value(to, S->reg[r]);
	}
	for (int m = 0; m < T->processes; m++)
		for (int p = 0; p < T->pages; p++)
			describe_words(to, T->process[m], T->page[p].name, &T->page[p], S->memory[m][p]);
	for (int r = 0; r < T->references; r++) {
		const struct reference *ref = &T->reference[r];
		describe_words(to, T->process[ref->process], ref->name, &T->page[ref->page], S->behind[r]);
	}
	for (int e = 0; e < T->effects; e++)
		if (S->effect[e] != NOT_TRIED)
			fprintf(to, "| line %d %s ", T->effect[e].line, S->effect[e] == DONE ? "done" : "stayed");
	describe_copies(to);
}

/* A text that grows as it is written, however long the names in a test are. */
static FILE *write_text(char **text, size_t *length)
{
	FILE *to = open_memstream(text, length);
	if (to == NULL)
		broken("no memory: %s", strerror(errno));
	return to;
}

static void finish_text(FILE *to)
{
	if (fclose(to) != 0)
		broken("no memory: %s", strerror(errno));
}

static void count(const char *text)
{
	int i = 0;
	while (i < outcomes && strcmp(histogram[i].text, text) != 0)
		i++;
	if (i == MOST_OUTCOMES)
		broken("more than %d outcomes", MOST_OUTCOMES);
	if (i == outcomes) {
		histogram[i].text = strdup(text);
		if (histogram[i].text == NULL)
			broken("no memory: %s", strerror(errno));
		histogram[i].times = 0;
		outcomes++;
	}
	histogram[i].times++;
	for (int c = 0; c < T->conditions; c++)
		condition_held[c] += T->condition[c].holds();
}

static void say_where(void)
{
	printf("Hang");
	for (int t = 0; t < T->threads; t++)
		if (!atomic_load(&S->ended[t]))
			printf("; %s at line %d", T->thread[t].name, atomic_load(&S->at[t]));
	printf("\n");
}

/* What pages are made of while references are still held. */
static char *pages_at_end(void)
{
	char *text;
	size_t length;
	FILE *to = write_text(&text, &length);
	describe_pages(to);
	finish_text(to);
	return text;
}

/* Takes note of the outcome of the run that is over. */
static void note_outcome(const char *pages)
{
	char *text;
	size_t length;
	FILE *to = write_text(&text, &length);
	describe(to);
	fputs(pages, to);
	finish_text(to);
	count(text);
	free(text);
}

/* One run. Returns one of the exit codes. */
static int run_once(void)
{
	char *pages = NULL;
	memset(S, 0, sizeof *S);
	for (int r = 0; r < MOST_REGISTERS; r++)
		S->reg[r] = UNSET;
	memset(S->memory, 0xff, sizeof S->memory);
	memset(S->behind, 0xff, sizeof S->behind);
	S->seed = wish.seed + (unsigned)runs;
	S->counting = frames_hidden == NULL && runs % 2 == 0;
	for (int r = 0; r < T->references; r++)
		way_of(r)->prepare(r);

	long deadline = now_ms() + wish.timeout;
	int result = EXIT_DONE;
	pid_t root = fork();
	if (root < 0)
		broken("fork: %s", strerror(errno));
	if (root == 0) {
		join_group();
		map_memory();
		live(0);
	}
	atomic_store(&S->pid[0], root);
	if (comes_about(all_at_start, deadline))
		announce(&S->go, 1);
	if (comes_about(all_ended, deadline)) {
		pages = pages_at_end();
		for (int r = 0; r < T->references; r++)
			for (int w = 0; w < T->page[T->reference[r].page].words; w++)
				if (atomic_load(&S->held[r]))
					S->behind[r][w] = way_of(r)->load(r, w);
		for (int r = 0; r < T->references; r++)
			ref_release(r);
		atomic_store(&S->turn, -1);
		announce(&S->over, 1);
		for (int p = 0; p < T->processes; p++) {
			if (T->exits[p])
				continue;
			announce(&S->turn, p);
			if (!comes_about(turn_is_over, deadline))
				break;
		}
	}
	if (stopped) {
		result = EXIT_STOPPED;
	} else if (atomic_load(&S->broken)) {
		result = EXIT_BROKEN;
	} else if (now_ms() > deadline) {
		say_where();
		result = EXIT_HUNG;
	}
	if (result != EXIT_DONE)
		give_up();
	end_processes();
	for (int r = 0; r < T->references; r++)
		way_of(r)->discard(r);
	reap();
	if (result == EXIT_DONE && atomic_load(&S->broken))
		result = EXIT_BROKEN;
	if (result == EXIT_DONE)
		note_outcome(pages);
	free(pages);
	return result;
}

static int by_frequency(const void *left, const void *right)
{
	const __typeof__(*histogram) *a = left, *b = right;
	return (a->times < b->times) - (a->times > b->times);
}

static void print_histogram(void)
{
	qsort(histogram, (size_t)outcomes, sizeof *histogram, by_frequency);
	printf("Histogram (%d states)\n", outcomes);
	for (int i = 0; i < outcomes; i++)
		printf("%-8ld:>%s\n", histogram[i].times, histogram[i].text);
	for (int c = 0; c < T->conditions; c++) {
		long held = condition_held[c];
		printf("Observation %s %s %ld %ld\n", T->condition[c].text,
		       held == 0 ? "Never" : held == runs ? "Always" : "Sometimes", held, runs - held);
	}
}

enum { STOPPING_S = 2 };

static volatile sig_atomic_t ended_by;
static volatile pid_t watching;
static pid_t beginner; /* the process that began the runs */

/* What a statement needs on this machine. */
static const struct part *part_of(const struct need *need)
{
	return exactly && need->exact != NULL ? need->exact : need->part;
}

static void end_parts(void)
{
	for (int n = T == NULL ? 0 : T->needs; n-- > 0;)
		if (part_of(&T->need[n])->end != NULL)
			part_of(&T->need[n])->end();
}

/* Ends the runs, after which their outcomes are printed. Whoever began them then undoes what was done to the machine. */
static void on_end(int number)
{
	ended_by = number;
	if (watching > 0)
		kill(watching, SIGUSR1);
	alarm(STOPPING_S);
}

/* The runs do not end. */
static void on_late(int number)
{
	(void)number;
	if (watching > 0)
		kill(watching, SIGKILL);
}

/* In the process that watches over the runs. */
static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

/* The one who began the runs is gone: so undoing is left to this process. */
static void on_orphaned(int number)
{
	(void)number;
	rescue = NULL;
	give_up();
	end_processes();
	end_parts();
	_exit(EXIT_BROKEN);
}

/* All runs of one test, in a process of its own, which is the parent of all others. */
static int watch(void)
{
	int result = EXIT_DONE;
	long began = now_ms();
	watcher = getpid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != beginner)
		on_orphaned(SIGTERM);
	while (runs < wish.times && result == EXIT_DONE) {
		result = attempt(run_once);
		if (result == EXIT_DONE)
			runs++;
	}
	if (result == EXIT_BROKEN) {
		/* Again, if it was this process that could not go on. */
		give_up();
		end_processes();
	}
	if (result == EXIT_BROKEN && !stopped)
		printf("Broken %s\n", S->why);
	print_histogram();
	printf("Time %.2f\n", (double)(now_ms() - began) / 1000);
	fflush(stdout);
	return result;
}

/* Finds out whether a reference can be taken as it stands in the test. */
static void choose_ways(void)
{
	exactly = 0;
	for (int n = 0; n < T->needs; n++) {
		if (T->need[n].exact != NULL && T->need[n].exact->probe() == NULL)
			exactly = 1;
	}
}

static void say_ways(void)
{
	for (int n = 0; n < T->needs; n++)
		if (exactly && T->need[n].exact != NULL)
			printf("Exact line %d \"%s\"\n", T->need[n].line, T->need[n].statement);
}

static int skipped(void)
{
	int skips = 0;
	for (int n = 0; n < T->needs; n++) {
		const char *why = part_of(&T->need[n])->probe();
		if (why != NULL)
			printf("Skip line %d \"%s\": %s\n", T->need[n].line, T->need[n].statement, why), skips++;
	}
	return skips;
}

/* Makes ready what the test needs. */
static int begin(void)
{
	choose_ways();
	if (skipped() > 0)
		return EXIT_SKIPPED;
	say_ways();
	frames_begin();
	if (frames_hidden != NULL)
		printf("Copies not counted: %s\n", frames_hidden);
	pages_begin();
	for (int n = 0; n < T->needs; n++)
		if (part_of(&T->need[n])->begin != NULL)
			part_of(&T->need[n])->begin();
	return EXIT_DONE;
}

/* Has another process watch over the runs, and waits for it. */
static int have_watched(void)
{
	int status;
	fflush(stdout);
	watching = fork();
	if (watching < 0)
		broken("fork: %s", strerror(errno));
	if (watching == 0) {
		signal(SIGTERM, on_orphaned);
		signal(SIGINT, SIG_IGN);
		exit(watch());
	}
	if (ended_by != 0)
		kill(watching, SIGUSR1);
	while (waitpid(watching, &status, 0) < 0 && errno == EINTR)
		;
	watching = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (ended_by == 0)
		printf("Broken the process that watched the runs was ended by signal %d (%s)\n", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	return EXIT_BROKEN;
}

static int run_test(const struct test *test)
{
	static const char *const word[] = {
		[EXIT_DONE] = "done", [EXIT_BROKEN] = "broken", [EXIT_HUNG] = "hung", [EXIT_SKIPPED] = "skipped",
	};
	struct utsname machine;
	T = test;
	memset(S, 0, sizeof *S);
	beginner = getpid();
	uname(&machine);
	printf("Test %s\nKernel %s %s\n", T->name, machine.release, machine.version);
	root_threads = 0;
	for (int t = 0; t < T->threads; t++)
		root_threads += T->thread[t].process == 0;
	int result = attempt(begin), watched = result == EXIT_DONE && ended_by == 0;
	if (watched)
		result = attempt(have_watched);
	/* What a process of the runs has come upon, the one that watched them has told. */
	if (result == EXIT_BROKEN && (!watched || watching < 0))
		printf("Broken %s\n", S->why);
	watching = 0;
	end_parts();
	if (ended_by != 0) {
		printf("Result interrupted\n");
		fflush(stdout);
		signal(ended_by, SIG_DFL);
		raise(ended_by);
	}
	if (result < 0 || result > EXIT_SKIPPED || word[result] == NULL)
		result = EXIT_BROKEN;
	printf("Result %s\n", word[result]);
	fflush(stdout);
	return result;
}

static int usage(const char *program)
{
	fprintf(stderr,
		"usage: %s [--times n] [--seed n] [--timeout ms] [--system] [--pages] [test ...]\n"
		"  --system  may change settings of the whole machine (KSM, a control group), and puts them back;\n"
		"            and may use /sys/kernel/debug/gup_test, of which there is one\n"
		"  --pages   tells what each page is made of at the end of each run\n"
		"exit code: 0 all runs done, 2 something broke, 3 a run hung, 77 skipped, with the reason\n",
		program);
	return EXIT_BROKEN;
}

__attribute__((format(printf, 1, 2))) static int unusable(const char *format, ...)
{
	va_list rest;
	va_start(rest, format);
	vfprintf(stderr, format, rest);
	va_end(rest);
	fputc('\n', stderr);
	return EXIT_BROKEN;
}

static int run_program(int count, char **word, const struct test *const *tests)
{
	int first = count, result = EXIT_DONE;
	struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sigaction end = { .sa_handler = on_end }, late = { .sa_handler = on_late };
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	for (int i = 1; i < count; i++) {
		if (strcmp(word[i], "--system") == 0)
			may_change_machine = 1;
		else if (strcmp(word[i], "--pages") == 0)
			pages_wanted = 1;
		else if (i + 1 < count && strcmp(word[i], "--times") == 0)
			wish.times = atol(word[++i]);
		else if (i + 1 < count && strcmp(word[i], "--seed") == 0)
			wish.seed = (unsigned)atol(word[++i]);
		else if (i + 1 < count && strcmp(word[i], "--timeout") == 0)
			wish.timeout = atol(word[++i]);
		else if (word[i][0] == '-')
			return usage(word[0]);
		else if (first == count)
			first = i;
	}
	/* A deadline is a sum, which must stay one. */
	if (wish.times < 1 || wish.timeout < 1 || wish.timeout > 1000000000)
		return usage(word[0]);
	if (sysconf(_SC_PAGESIZE) != PAGE_BYTES)
		return unusable("pages of %ld bytes, and only tests with pages of %d can be run", sysconf(_SC_PAGESIZE),
				PAGE_BYTES);
	for (int i = first; i < count; i++) {
		const struct test *const *one = tests;
		while (*one != NULL && strcmp(word[i], (*one)->name) != 0)
			one++;
		if (*one == NULL)
			return unusable("no test here is called \"%s\"", word[i]);
	}
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGALRM, &late, NULL);
	sigaction(SIGUSR1, &stop, NULL);
	if (sched_getaffinity(0, sizeof processors, &processors) != 0)
		return unusable("sched_getaffinity: %s", strerror(errno));
	S = mmap(NULL, sizeof *S, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (S == MAP_FAILED)
		return unusable("mmap of %zu bytes: %s", sizeof *S, strerror(errno));
	for (; *tests != NULL; tests++) {
		int wanted = first == count;
		for (int i = first; i < count; i++)
			wanted |= strcmp(word[i], (*tests)->name) == 0;
		if (!wanted)
			continue;
		int one = run_test(*tests);
		if (result == EXIT_DONE || (result == EXIT_SKIPPED && one != EXIT_DONE))
			result = one;
	}
	return result;
}
