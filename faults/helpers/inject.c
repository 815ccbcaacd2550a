// Lets one system call of a program, or of whatever it starts, go wrong: the Nth that touches files.
//
//   inject writes|reads NUMBER ACTION BELOW COUNT PROGRAM [ARGUMENTS]
//
// Counted are the calls, of any process and thread in the order in which they arrive, that change files
// (`writes`) or read them (`reads`) below the folder BELOW; how many there were goes to the file COUNT.
// At call NUMBER, ACTION happens, before the call:
//
//   none            nothing: this counts
//   caller, all     the calling process, or the program and all that it started, is killed (SIGKILL)
//   once:E, from:E  this call, or this one and all later ones, fail with the error number E
//
// The kernel stops the calls for us (seccomp's user notifications), so that it does not matter whether a
// program goes through the C library or not. A killed process has not made the call.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPEN, BY_FD, BY_PATH };

static const struct { int number, how, path, reads; } CALLS[] = {
    {SYS_openat, OPEN, 1, 1}, {SYS_write, BY_FD, 0, 0}, {SYS_pwrite64, BY_FD, 0, 0},
    {SYS_writev, BY_FD, 0, 0}, {SYS_ftruncate, BY_FD, 0, 0}, {SYS_fallocate, BY_FD, 0, 0},
    {SYS_copy_file_range, BY_FD, 2, 0}, {SYS_fsync, BY_FD, 0, 0}, {SYS_fdatasync, BY_FD, 0, 0},
    {SYS_fchmod, BY_FD, 0, 0}, {SYS_fchmodat, BY_PATH, 1, 0}, {SYS_mkdirat, BY_PATH, 1, 0},
    {SYS_unlinkat, BY_PATH, 1, 0}, {SYS_linkat, BY_PATH, 3, 0}, {SYS_symlinkat, BY_PATH, 2, 0},
    {SYS_renameat2, BY_PATH, 1, 0},
    {SYS_read, BY_FD, 0, 1}, {SYS_pread64, BY_FD, 0, 1}, {SYS_getdents64, BY_FD, 0, 1},
#ifdef SYS_open
    {SYS_open, OPEN, 0, 1}, {SYS_chmod, BY_PATH, 0, 0}, {SYS_mkdir, BY_PATH, 0, 0},
    {SYS_rmdir, BY_PATH, 0, 0}, {SYS_unlink, BY_PATH, 0, 0}, {SYS_link, BY_PATH, 1, 0},
    {SYS_symlink, BY_PATH, 1, 0}, {SYS_rename, BY_PATH, 0, 0}, {SYS_renameat, BY_PATH, 1, 0},
#endif
};
#define MANY (sizeof CALLS / sizeof *CALLS)

static const char *below;
static int reads;

static void fail(const char *what) {
    perror(what);
    exit(125);
}

// The path behind a link such as /proc/PID/cwd.
static int behind(const char *link, char *path, size_t size) {
    ssize_t length = readlink(link, path, size - 1);
    path[length > 0 ? length : 0] = 0;
    return length > 0;
}

static int path_of_fd(pid_t task, int fd, char *path, size_t size) {
    char link[64];
    if (fd == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", task);
    else snprintf(link, sizeof link, "/proc/%d/fd/%d", task, fd);
    return behind(link, path, size);
}

// The path among a call's arguments; relative ones below the folder that the call names, or the task's.
static int path_of_argument(pid_t task, const struct seccomp_data *call, int at, char *path, size_t size) {
    char text[4096] = {0};
    struct iovec here = {text, sizeof text - 1}, there = {(void *)call->args[at], 0};
    // page by page: what follows the text may not be mapped
    size_t got = 0;
    while (got < sizeof text - 1 && !memchr(text, 0, got)) {
        size_t page = 4096 - (call->args[at] + got) % 4096;
        here.iov_base = text + got;
        here.iov_len = page < sizeof text - 1 - got ? page : sizeof text - 1 - got;
        there.iov_base = (void *)(call->args[at] + got);
        there.iov_len = here.iov_len;
        ssize_t more = process_vm_readv(task, &here, 1, &there, 1, 0);
        if (more <= 0) return 0;
        got += more;
    }
    if (text[0] == '/') {
        snprintf(path, size, "%s", text);
        return 1;
    }
    char folder[4096];
    if (!path_of_fd(task, at ? (int)call->args[at - 1] : AT_FDCWD, folder, sizeof folder)) return 0;
    return snprintf(path, size, "%s/%s", folder, text) > 0;
}

static int counts(pid_t task, const struct seccomp_data *call) {
    char path[8300];
    for (size_t i = 0; i < MANY; i++) {
        if (CALLS[i].number != call->nr) continue;
        int known;
        if (CALLS[i].how == BY_FD) {
            known = path_of_fd(task, (int)call->args[CALLS[i].path], path, sizeof path);
        } else {
            int at = CALLS[i].path;
#ifdef SYS_open
            // without a folder of its own: relative to the task's
            if (call->nr == SYS_link || call->nr == SYS_symlink) {
                struct seccomp_data moved = *call;
                moved.args[0] = AT_FDCWD;
                known = path_of_argument(task, &moved, at, path, sizeof path);
            } else
#endif
            known = path_of_argument(task, call, at, path, sizeof path);
        }
        if (CALLS[i].how == OPEN) {
            int flags = (int)call->args[CALLS[i].path + 1];
            int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
            if (writes == reads) return 0;
        }
        return known && strncmp(path, below, strlen(below)) == 0;
    }
    return 0;
}

static void send_fd(int socket, int fd) {
    char byte = 0, control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET, head->cmsg_type = SCM_RIGHTS, head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    if (sendmsg(socket, &message, 0) < 0) fail("sendmsg");
}

static int receive_fd(int socket) {
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0 || !CMSG_FIRSTHDR(&message)) exit(125);
    int fd;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

// Stops at the calls of the table, lets all others pass.
static int listen_to_calls(void) {
    struct sock_filter filter[2 * MANY + 2];
    size_t length = 0;
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < MANY; i++) {
        if (CALLS[i].how != OPEN && CALLS[i].reads != reads) continue;
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS[i].number, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("no_new_privs");
    int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (fd < 0) fail("seccomp");
    return fd;
}

// Kills every child, and theirs as they come to us.
static void kill_all(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *list = fopen(path, "r");
    int child;
    while (list && fscanf(list, "%d", &child) == 1) kill(child, SIGKILL);
    if (list) fclose(list);
}

int main(int argc, char **argv) {
    if (argc < 7) return fprintf(stderr, "usage: inject writes|reads NUMBER ACTION BELOW COUNT PROGRAM …\n"), 125;
    reads = strcmp(argv[1], "reads") == 0;
    long number = atol(argv[2]), count = 0;
    const char *action = argv[3];
    below = argv[4];
    int error = strchr(action, ':') ? atoi(strchr(action, ':') + 1) : 0, forever = strncmp(action, "from", 4) == 0;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) fail("socketpair");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int listener = listen_to_calls();
        send_fd(pair[1], listener);
        close(listener);
        execvp(argv[6], argv + 6);
        fail(argv[6]);
    }
    close(pair[1]);
    int listener = receive_fd(pair[0]), status = 0, all_gone = 0, killing = 0;
    while (!all_gone) {
        struct pollfd ready = {listener, POLLIN, 0};
        int found = poll(&ready, 1, 20);
        if (found > 0 && ready.revents & POLLIN) {
            struct seccomp_notif call = {0};
            if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0) {
                struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
                int hit = 0;
                if (counts(call.pid, &call.data)) {
                    count++;
                    hit = count == number || (forever && number && count > number);
                }
                if (hit && error) answer.flags = 0, answer.error = -error;
                else if (hit && strcmp(action, "none") != 0) {
                    kill(call.pid, SIGKILL);
                    if (strcmp(action, "all") == 0) killing = 1, kill(child, SIGKILL);
                }
                ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
            }
        } else if (found > 0) {
            usleep(1000); // nobody is left to make a call
        }
        if (killing) kill_all();
        for (;;) {
            int how;
            pid_t ended = waitpid(-1, &how, WNOHANG);
            if (ended == child) status = how;
            if (ended < 0) all_gone = errno == ECHILD;
            if (ended <= 0) break;
        }
    }
    FILE *file = fopen(argv[5], "w");
    if (!file || fprintf(file, "%ld\n", count) < 0 || fclose(file)) fail(argv[5]);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
