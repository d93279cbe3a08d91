/* The parts that every test needs: shared memory, processes, threads, loads and stores, outcomes. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PART __attribute__((unused)) static

enum { PAGE_BYTES = 4096 };

/* How much of everything there may be (MOST_PAGES, ...) stands before this file: it depends on the tests. */

/* What a register or a word shows when it shows no number. */
enum { UNSET = -1, SEGV = -2 };

/* Exit codes. A skip is no success: nothing was tried. */
enum { EXIT_DONE = 0, EXIT_BROKEN = 2, EXIT_HUNG = 3, EXIT_STOPPED = 4, EXIT_SKIPPED = 77 };

/* Pages lie apart, so that each is an area (VMA) of its own, all within one page table. */
#define FIRST_PAGE ((char *)0x100000000000)
enum { PAGE_DISTANCE = 4 * PAGE_BYTES };

/* No word lies at the beginning of its page: see process_vm.c. */
enum { FIRST_WORD = 64 };

struct page {
	const char *name;
	int rank; /* its place among the addresses */
	int untouched;
	int words;
	const char *word[MOST_WORDS];
	int initial[MOST_WORDS];
};

struct thread {
	const char *name;
	int process;
	void (*run)(void);
};

/* The way in which a reference is taken, used and dropped. */
struct way {
	const char *name;
	void (*prepare)(int ref);                     /* before each run, outside of all processes of the test */
	int (*take)(int ref, char *page);             /* in a process of the test; 0 as EFAULT */
	long (*load)(int ref, int word);
	void (*store)(int ref, int word, long value);
	void (*release)(int ref);
	void (*give_up)(int ref);                     /* a run cannot go on; may be NULL */
	void (*discard)(int ref);                     /* after each run; undoes prepare */
};

struct reference {
	const char *name;
	int process, page;
	int loads[MOST_WORDS], stores[MOST_WORDS]; /* how often it is used at most, for each word */
	int spent; /* whether `way` gives it back with its only use */
	const struct way *way;
	const struct way *exact; /* takes it as it stands in the test, where it can be had; may be NULL */
};

/* What some kernels, configurations or users cannot do; and what has to be made ready for it, and undone. */
struct part {
	const char *(*probe)(void); /* why it cannot be had here, or NULL */
	void (*begin)(void);        /* before the first run; may be NULL */
	void (*end)(void);          /* after the last one, or when the program is ended; as often as one likes */
};

/* A statement, and what it needs. */
struct need {
	int line;
	const char *statement;
	const struct part *part;
	const struct part *exact; /* that of the reference's exact way, which is taken instead where it can be had */
};

/* A statement that asks the kernel for something that it need not do: was it done? */
struct effect {
	int line;
	const char *statement;
};

struct condition {
	const char *text;
	int (*holds)(void);
};

struct test {
	const char *name;
	int pages, processes, threads, references, registers, needs, effects, conditions;
	int moves; /* whether a statement may take pages from their frames other than by copying them */
	struct page page[MOST_PAGES];
	const char *process[MOST_PROCESSES];
	int exits[MOST_PROCESSES]; /* whether the process ends by itself */
	struct thread thread[MOST_THREADS];
	struct reference reference[MOST_REFERENCES];
	const char *registerName[MOST_REGISTERS];
	struct need need[MOST_NEEDS];
	struct effect effect[MOST_EFFECTS];
	struct condition condition[MOST_CONDITIONS];
};

/* What all processes of a run share. */
struct shared {
	atomic_int go, over, turn, broken, reasons;
	atomic_int arrived;                    /* threads that stand at the start */
	atomic_int ended[MOST_THREADS];
	atomic_int at[MOST_THREADS];           /* the line that each thread is at */
	atomic_int pid[MOST_PROCESSES], gone[MOST_PROCESSES];
	atomic_int signal[MOST_SIGNALS];
	atomic_int lock[MOST_REFERENCES], held[MOST_REFERENCES];
	long reg[MOST_REGISTERS];
	long memory[MOST_PROCESSES][MOST_PAGES][MOST_WORDS];
	long behind[MOST_REFERENCES][MOST_WORDS];
	int effect[MOST_EFFECTS];
	int counting;                          /* whether copies are counted in this run: see frames.c */
	atomic_int copies, perhaps, unseen;    /* that were made, that may have been; whether there may be more */
	atomic_int moves_begun, moves_ended;   /* by reclaim and KSM */
	unsigned seed;
	char why[400];
};

/* How an effect ended. */
enum { NOT_TRIED, STAYED, DONE };

static const struct test *T;
static struct shared *S;
static cpu_set_t processors;            /* those that this program may use */
static pid_t watcher;                   /* the process that watches over the runs */
static sigjmp_buf *rescue;              /* where a process goes on that has things to undo and to tell */
static pid_t rescued;                   /* which process that is */
static int exactly;                     /* whether the exact ways of references can be had on this machine */
static int may_change_machine;          /* --system: settings of the whole machine may be changed, and put back */
static _Thread_local int self = -1;     /* the thread's number in the test */
static _Thread_local unsigned dice;
static _Thread_local unsigned may_copy; /* the pages that the present statement may copy, a bit each */
static _Thread_local sigjmp_buf *volatile landing;

/* ---- Small things ---- */

PART long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* This process cannot go on, since something is broken. Most end; see attempt() in main.c for those that do not. */
__attribute__((noreturn)) static void bail_out(void)
{
	sigjmp_buf *to = rescue;
	if (to == NULL || rescued != getpid())
		_exit(EXIT_BROKEN);
	rescue = NULL;
	siglongjmp(*to, 1);
}

/* The first reason counts, and is there before anybody looks for it. */
static void note_broken(const char *format, va_list values)
{
	if (atomic_exchange(&S->reasons, 1) != 0)
		return;
	vsnprintf(S->why, sizeof S->why, format, values);
	atomic_store(&S->broken, 1);
}

/* The run cannot go on: something that must work on this machine did not. */
__attribute__((format(printf, 1, 2), noreturn)) PART void broken(const char *format, ...)
{
	va_list values;
	va_start(values, format);
	if (S == NULL)
		vfprintf(stderr, format, values), fputc('\n', stderr);
	else
		note_broken(format, values);
	va_end(values);
	bail_out();
}

/* The same, of another process. */
__attribute__((format(printf, 1, 2))) PART void has_broken(const char *format, ...)
{
	va_list values;
	va_start(values, format);
	note_broken(format, values);
	va_end(values);
}

/* Sets a number for which others may wait. */
PART void announce(atomic_int *number, int value)
{
	atomic_store(number, value);
	syscall(SYS_futex, number, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Waits until a number is no longer this one. */
PART void await_change(atomic_int *number, int value)
{
	struct timespec a_while = { 0, 10000000 };
	for (int round = 0; atomic_load(number) == value; round++) {
		if (atomic_load(&S->broken))
			bail_out();
		if (round < 20)
			sched_yield();
		else
			syscall(SYS_futex, number, FUTEX_WAIT, value, &a_while, NULL, 0);
	}
}

/* Waits until somebody has set a number. */
PART void await(atomic_int *number, int value)
{
	for (int now; (now = atomic_load(number)) != value;)
		await_change(number, now);
}

PART unsigned roll(unsigned sides)
{
	dice = dice * 1103515245u + 12345u;
	return (dice >> 16) % sides;
}

/* Gives the other threads a random head start, most often none. */
PART void dawdle(void)
{
	static const int most[] = { 0, 0, 20, 200, 2000, 20000 };
	int rounds = most[roll(6)];
	for (volatile int i = rounds == 0 ? 0 : (int)roll((unsigned)rounds); i > 0; i--)
		;
}

PART int read_file(const char *path, char *text, int room)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	/* The kernel gives some files in pieces. */
	int length = 0, more;
	while ((more = (int)read(file, text + length, (size_t)(room - 1 - length))) > 0)
		length += more;
	close(file);
	if (more < 0)
		return -1;
	text[length] = 0;
	return length;
}

PART int write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	int done = write(file, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	int error = errno;
	close(file);
	errno = error;
	return done;
}

/* A reason, as a probe returns it. */
__attribute__((format(printf, 1, 2))) PART const char *because(const char *format, ...)
{
	static char text[300];
	va_list values;
	va_start(values, format);
	vsnprintf(text, sizeof text, format, values);
	va_end(values);
	return text;
}

/* Ends this process when its parent ends, or has ended already. */
PART void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_BROKEN);
}

/* What a probe finds that is made in a process of its own, with which all that it did is gone. */
PART const char *elsewhere(const char *(*probe)(void))
{
	char why[300];
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return because("pipe: %s", strerror(errno));
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		end_with(parent);
		const char *found = probe();
		_exit(found != NULL && write(ends[1], found, strlen(found)) < 0);
	}
	close(ends[1]);
	long length = child < 0 ? -1 : read(ends[0], why, sizeof why - 1);
	int error = errno, status = 0;
	close(ends[0]);
	if (child < 0)
		return because("fork: %s", strerror(error));
	waitpid(child, &status, 0);
	if (length > 0)
		return because("%.*s", (int)length, why);
	return status == 0 ? NULL : "an attempt failed, and did not say why";
}

/* ---- Memory ---- */

PART char *page_at(int page)
{
	return FIRST_PAGE + T->page[page].rank * PAGE_DISTANCE;
}

PART volatile long *word_at(int page, int word)
{
	return (volatile long *)(page_at(page) + FIRST_WORD + 8 * word);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (landing != NULL && number == SIGSEGV)
		siglongjmp(*landing, 1);
	broken("%s at %p in thread %d", number == SIGSEGV ? "SIGSEGV" : "SIGBUS", info->si_addr, self);
}

PART long load(int page, int word)
{
	sigjmp_buf here;
	if (sigsetjmp(here, 0) != 0) {
		landing = NULL;
		return SEGV;
	}
	landing = &here;
	long value = *word_at(page, word);
	landing = NULL;
	return value;
}

PART void store(int page, int word, long value)
{
	sigjmp_buf here;
	may_copy |= 1u << page;
	if (sigsetjmp(here, 0) == 0) {
		landing = &here;
		*word_at(page, word) = value;
	}
	landing = NULL;
}

#define NO_PAGEMAP "/proc/self/pagemap cannot be read"

/* What /proc/self/pagemap says of a page of this process: bit 63 present, bit 62 swapped. 0 if it says nothing. */
static int read_pagemap(const char *address, uint64_t *entry)
{
	int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int done = file >= 0 && pread(file, entry, 8, (off_t)((uintptr_t)address / PAGE_BYTES * 8)) == 8;
	int error = errno;
	if (file >= 0)
		close(file);
	errno = error;
	return done;
}

PART uint64_t pagemap_of(const char *address)
{
	uint64_t entry = 0;
	if (!read_pagemap(address, &entry))
		broken(NO_PAGEMAP ": %s", strerror(errno));
	return entry;
}

/* For probes, and for what can be done without. */
PART const char *pagemap_probe(void)
{
	uint64_t entry = 0;
	return read_pagemap((const char *)&entry, &entry) ? NULL : NO_PAGEMAP;
}

/* New pages wait in a batch of this processor before they come onto the LRU list: fill it, so that they go. */
PART void drain_batch(void)
{
	enum { ENOUGH = 64 };
	char *area = mmap(NULL, ENOUGH * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		broken("no memory: %s", strerror(errno));
	madvise(area, ENOUGH * PAGE_BYTES, MADV_NOHUGEPAGE);
	for (int i = 0; i < ENOUGH; i++)
		*(volatile char *)(area + i * PAGE_BYTES) = 1;
	munmap(area, ENOUGH * PAGE_BYTES);
}

static void map_memory(void)
{
	for (int p = 0; p < T->pages; p++) {
		char *at = page_at(p);
		int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
		if (mmap(at, PAGE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0) != at)
			broken("no memory at %p: %s", (void *)at, strerror(errno));
		madvise(at, PAGE_BYTES, MADV_NOHUGEPAGE);
		if (!T->page[p].untouched)
			for (int w = 0; w < T->page[p].words; w++)
				*word_at(p, w) = T->page[p].initial[w];
	}
	drain_batch();
}

PART void unmap(int page)
{
	if (munmap(page_at(page), PAGE_BYTES) != 0)
		broken("munmap: %s", strerror(errno));
}

/* Nothing is mapped there any more: the statement finds nothing to do. */
PART void unless_unmapped(const char *call, int result)
{
	if (result != 0 && errno != ENOMEM)
		broken("%s: %s", call, strerror(errno));
}

PART void dontneed(int page)
{
	unless_unmapped("madvise(MADV_DONTNEED)", madvise(page_at(page), PAGE_BYTES, MADV_DONTNEED));
}

PART void protect(int page, int protection)
{
	unless_unmapped("mprotect", mprotect(page_at(page), PAGE_BYTES, protection));
}

/* ---- Threads and processes ---- */

/* frames.c */
static void look_at_frames(int process, unsigned copied);
static void begin_looking(int process, int forked);

/* Looks at what the statement that is over has copied. */
static void after_statement(void)
{
	look_at_frames(T->thread[self].process, may_copy);
	may_copy = 0;
}

/* Before each statement. */
PART void step(int line)
{
	after_statement();
	if (atomic_load(&S->broken))
		bail_out();
	atomic_store(&S->at[self], line);
	dawdle();
}

PART void send(int number)
{
	announce(&S->signal[number], 1);
}

PART void receive(int number)
{
	await(&S->signal[number], 1);
}

/*
 * Most often one processor, at random. Where copies are counted always one: a page may wait in the batch of the
 * processor on which it was made, and the model's threads do not go from one to another either.
 */
static void choose_processor(void)
{
	cpu_set_t one;
	if (!S->counting && roll(4) == 0) {
		/* A process has its parent's choice until it makes one of its own. */
		sched_setaffinity(0, sizeof processors, &processors);
		return;
	}
	int chosen = (int)roll((unsigned)CPU_COUNT(&processors));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &processors) || chosen-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof one, &one);
		return;
	}
}

/* What the process would read at the end, one process after the other. */
static void observe(int process)
{
	await(&S->turn, process);
	for (int p = 0; p < T->pages; p++)
		for (int w = 0; w < T->page[p].words; w++) {
			long value = load(p, w);
			S->memory[process][p][w] = value == SEGV ? UNSET : value;
		}
	_exit(0);
}

static void *run_thread(void *number)
{
	self = (int)(intptr_t)number;
	dice = S->seed * 2654435761u + (unsigned)self * 40503u;
	choose_processor();
	atomic_fetch_add(&S->arrived, 1);
	await(&S->go, 1);
	T->thread[self].run();
	after_statement();
	atomic_store(&S->at[self], 0);
	announce(&S->ended[self], 1);
	await(&S->over, 1);
	return NULL;
}

/* The life of a process after it has come into being: its first thread is the one that calls. */
__attribute__((noreturn)) static void live(int process)
{
	int first = -1;
	end_with(watcher);
	begin_looking(process, process != 0);
	atomic_store(&S->pid[process], getpid());
	for (int t = 0; t < T->threads; t++) {
		if (T->thread[t].process != process)
			continue;
		if (first < 0) {
			first = t;
			continue;
		}
		pthread_t unused;
		if (pthread_create(&unused, NULL, run_thread, (void *)(intptr_t)t) != 0)
			broken("no thread: %s", strerror(errno));
	}
	run_thread((void *)(intptr_t)first);
	observe(process);
	_exit(0);
}

/*
 * All processes are children of the one that watches over the run, whoever forks them: so they end with it,
 * and it knows when they have ended.
 */
PART void fork_process(int process)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		broken("fork: %s", strerror(errno));
	if (pid == 0)
		live(process);
}

/* Ends the process when its other threads have come to their ends. */
PART void exit_process(void)
{
	int process = T->thread[self].process;
	for (int t = 0; t < T->threads; t++)
		if (t != self && T->thread[t].process == process)
			await(&S->ended[t], 1);
	announce(&S->ended[self], 1);
	_exit(0);
}

PART void wait_for_exit(int process)
{
	await(&S->gone[process], 1);
}

/* ---- References ---- */

/* The way that is taken on this machine. */
static const struct way *way_of(int ref)
{
	const struct reference *r = &T->reference[ref];
	return exactly && r->exact != NULL ? r->exact : r->way;
}

/* Whether that way gives the reference back with its only use. */
static int is_spent(int ref)
{
	return T->reference[ref].spent && way_of(ref) == T->reference[ref].way;
}

static void lock(int ref)
{
	int free = 0;
	while (!atomic_compare_exchange_weak(&S->lock[ref], &free, 1)) {
		free = 0;
		sched_yield();
	}
}

static void unlock(int ref)
{
	atomic_store(&S->lock[ref], 0);
}

PART void ref_take(int ref)
{
	const struct reference *r = &T->reference[ref];
	may_copy |= 1u << r->page;
	int taken = way_of(ref)->take(ref, page_at(r->page));
	lock(ref);
	atomic_store(&S->held[ref], taken);
	unlock(ref);
}

PART long ref_load(int ref, int word)
{
	lock(ref);
	long value = atomic_load(&S->held[ref]) ? way_of(ref)->load(ref, word) : SEGV;
	if (is_spent(ref))
		atomic_store(&S->held[ref], 0);
	unlock(ref);
	return value;
}

PART void ref_store(int ref, int word, long value)
{
	lock(ref);
	if (atomic_load(&S->held[ref]))
		way_of(ref)->store(ref, word, value);
	if (is_spent(ref))
		atomic_store(&S->held[ref], 0);
	unlock(ref);
}

PART void ref_release(int ref)
{
	lock(ref);
	if (atomic_exchange(&S->held[ref], 0))
		way_of(ref)->release(ref);
	unlock(ref);
}

