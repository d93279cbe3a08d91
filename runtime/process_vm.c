/*
 * ---- process_vm_readv(2) and process_vm_writev(2), stopped in the middle: pins (FOLL_PIN), by the slow walk ----
 *
 * A helper process reads the page into memory of its own, the first byte of which is missing and watched by a
 * userfaultfd. So the call stands still between pinning the page and copying it, until somebody wants to know
 * what the page holds. Each look at the page needs a helper of its own, and all of them pin it when the reference is
 * taken. The first byte may have been loaded before the call stood still: hence no word of a page lies there.
 *
 * A pin for writing is the other way round: what is to be stored is missing. There is one store, after which the pin is gone;
 * to give it back without, the helper is killed.
 */

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

enum { IDLE, WANTED, STANDS, REFUSED, GO_ON, OVER };

static struct look {
	atomic_int state;
	pid_t helper, from;
	char *page;
	int error;
	int writes, word;
	long value; /* that is written */
	long bytes[PAGE_BYTES / sizeof(long)];
} (*look_of)[MOST_USES]; /* shared */

/* How many looks of a reference have been used up. Shared, too. */
static int *used;

static int userfaultfd_open(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int file = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (file >= 0 && ioctl(file, UFFDIO_API, &api) != 0) {
		close(file);
		return -1;
	}
	return file;
}

struct gate {
	struct look *look;
	char *missing;
	int watch;
};

/* Lets the call stand still until somebody wants it to go on. */
static void *keep_gate(void *argument)
{
	struct gate *gate = argument;
	struct uffd_msg message;
	long filling[PAGE_BYTES / sizeof(long)] __attribute__((aligned(PAGE_BYTES))) = { 0 };
	struct uffdio_copy fill = { .dst = (uintptr_t)gate->missing, .src = (uintptr_t)filling, .len = PAGE_BYTES };
	if (read(gate->watch, &message, sizeof message) != sizeof message)
		broken("userfaultfd: %s", strerror(errno));
	announce(&gate->look->state, STANDS);
	await(&gate->look->state, GO_ON);
	filling[0] = gate->look->value;
	if (ioctl(gate->watch, UFFDIO_COPY, &fill) != 0)
		broken("userfaultfd: %s", strerror(errno));
	return NULL;
}

__attribute__((noreturn)) static void help(struct look *look)
{
	struct gate gate = { look, NULL, userfaultfd_open() };
	pthread_t keeper;
	end_with(watcher);
	gate.missing = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register watched = {
		.range = { (uintptr_t)gate.missing, PAGE_BYTES },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	if (gate.missing == MAP_FAILED || gate.watch < 0 || ioctl(gate.watch, UFFDIO_REGISTER, &watched) != 0 ||
	    pthread_create(&keeper, NULL, keep_gate, &gate) != 0)
		broken("userfaultfd: %s", strerror(errno));
	await(&look->state, WANTED);
	struct iovec here[] = { { gate.missing, 1 }, { (char *)look->bytes + 1, PAGE_BYTES - 1 } };
	struct iovec there = { look->page, PAGE_BYTES };
	struct iovec source = { gate.missing, sizeof(long) };
	struct iovec target = { look->page + FIRST_WORD + 8 * look->word, sizeof(long) };
	long done = look->writes ? process_vm_writev(look->from, &source, 1, &target, 1, 0)
				 : process_vm_readv(look->from, here, 2, &there, 1, 0);
	if (done == (look->writes ? (long)sizeof(long) : PAGE_BYTES)) {
		announce(&look->state, OVER);
	} else {
		look->error = done < 0 ? errno : EIO;
		announce(&look->state, REFUSED);
	}
	_exit(0);
}

/* How many calls a reference takes: a look gives all words, but of one moment. */
static int looks(int ref)
{
	int sum = 0;
	for (int w = 0; w < MOST_WORDS; w++)
		sum += T->reference[ref].loads[w] + T->reference[ref].stores[w];
	return sum < MOST_USES ? sum : MOST_USES;
}

/* The word that the only store of a reference is for; -1 if it is for reading. */
static int word_to_store(int ref)
{
	for (int w = 0; w < MOST_WORDS; w++)
		if (T->reference[ref].stores[w] > 0)
			return w;
	return -1;
}

static void process_vm_prepare(int ref)
{
	if (look_of == NULL) {
		look_of = mmap(NULL, MOST_REFERENCES * sizeof *look_of, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		used = mmap(NULL, MOST_REFERENCES * sizeof *used, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
		if (look_of == MAP_FAILED || used == MAP_FAILED)
			broken("no memory: %s", strerror(errno));
	}
	memset(look_of[ref], 0, sizeof look_of[ref]);
	used[ref] = 0;
	for (int i = 0; i < looks(ref); i++) {
		struct look *look = &look_of[ref][i];
		look->word = word_to_store(ref);
		look->writes = look->word >= 0;
		pid_t helper = fork();
		if (helper < 0)
			broken("fork: %s", strerror(errno));
		if (helper == 0)
			help(look);
		look->helper = helper;
	}
}

/* Some distributions (Yama) let a process be read only by those above it, unless it says otherwise. */
static void let_helpers_in(void)
{
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
}

static int process_vm_take(int ref, char *page)
{
	int taken = 1;
	let_helpers_in();
	for (int i = 0; i < looks(ref); i++) {
		struct look *look = &look_of[ref][i];
		look->page = page;
		look->from = getpid();
		announce(&look->state, WANTED);
		await_change(&look->state, WANTED);
		if (atomic_load(&look->state) == STANDS)
			continue;
		if (look->error != EFAULT)
			broken("%s: %s", look->writes ? "process_vm_writev" : "process_vm_readv", strerror(look->error));
		taken = 0;
	}
	return taken;
}

/* Lets the next call go on, and waits until it is over. */
static struct look *finish_look(int ref, long value)
{
	struct look *look = &look_of[ref][used[ref]++];
	look->value = value;
	announce(&look->state, GO_ON);
	await(&look->state, OVER);
	return look;
}

static long process_vm_load(int ref, int word)
{
	return finish_look(ref, 0)->bytes[FIRST_WORD / 8 + word];
}

static void process_vm_store(int ref, int word, long value)
{
	(void)word;
	finish_look(ref, value);
}

/* Kills a helper, and waits until the kernel has let go what its call held. It need not be a child of this process. */
static void end_helper(pid_t helper)
{
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, helper, 0), .events = POLLIN };
	if (ended.fd < 0)
		broken("pidfd_open: %s", strerror(errno));
	kill(helper, SIGKILL);
	while (poll(&ended, 1, -1) < 0 && errno == EINTR)
		;
	close(ended.fd);
}

static void process_vm_release(int ref)
{
	if (word_to_store(ref) >= 0)
		for (int i = 0; i < looks(ref); i++)
			end_helper(look_of[ref][i].helper);
	else
		while (used[ref] < looks(ref))
			process_vm_load(ref, 0);
}

static void process_vm_discard(int ref)
{
	for (int i = 0; i < looks(ref); i++) {
		kill(look_of[ref][i].helper, SIGKILL);
		waitpid(look_of[ref][i].helper, NULL, 0);
	}
}

static const struct way by_process_vm = {
	.name = "process_vm",
	.prepare = process_vm_prepare,
	.take = process_vm_take,
	.load = process_vm_load,
	.store = process_vm_store,
	.release = process_vm_release,
	.discard = process_vm_discard,
};

/* As a helper does it: to a process that is not below it. */
static const char *process_vm_try(void)
{
	static char from = 1;
	char to = 0;
	struct iovec here = { &to, 1 }, there = { &from, 1 };
	return process_vm_readv(getppid(), &here, 1, &there, 1, 0) == 1 ? NULL
									: because("process_vm_readv: %s", strerror(errno));
}

static const char *process_vm_probe(void)
{
	let_helpers_in();
	const char *why = elsewhere(process_vm_try);
	if (why != NULL)
		return why;
	int file = userfaultfd_open();
	if (file < 0)
		return errno == EPERM ? "userfaultfd is for root here (vm.unprivileged_userfaultfd)"
				      : because("userfaultfd: %s", strerror(errno));
	close(file);
	return NULL;
}

static const struct part process_vm_part = { .probe = process_vm_probe };
