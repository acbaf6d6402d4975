/* Stands between a server and the disk, for tests that lose power and for tests in which the disk fails. Preloaded into
 * the server (LD_PRELOAD). ACCORD_DISK names the data folder.
 *
 * Records what the server writes to the files of its store and when it syncs them, in the file ACCORD_RECORD. Each event
 * of the record is a kind, the length of a path (u16) and the path in the data folder, and then: 'W' offset:u64
 * length:u64 bytes, 'T' length:u64 (truncate), 'R' length:u16 path (rename to this path), 'U' nothing (removed),
 * 'S' nothing (a sync has returned), 'F' nothing (a sync has failed). All integers are in the machine's byte order.
 *
 * Fails calls as ACCORD_FAULT says, which is a kind and two numbers, "KIND FIRST COUNT". Calls on files of the store are
 * numbered from 1, over all processes that share the file ACCORD_CALLS, which has their number and that of the calls that
 * failed (two u64). From FIRST on, COUNT calls fail: with EIO (`eio`), with ENOSPC if they need space (`full`), or with the end of the process (`kill`
 * before the call, `torn` in the middle of a write).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;

/* Returns the part of a path behind the data folder, or NULL if the path is not one of the store. */
static const char *of_store(const char *path) {
  const char *data = getenv("ACCORD_DISK");
  size_t length = data ? strlen(data) : 0;
  if (!length || strncmp(path, data, length) != 0 || path[length] != '/') return NULL;
  path += length + 1;
  int is = strncmp(path, "store/db", 8) == 0 || strncmp(path, "log/", 4) == 0 ||
           strncmp(path, "witness", 7) == 0 || strcmp(path, "noted") == 0 ||
           strcmp(path, "unsynced") == 0;
  return is ? path : NULL;
}

/* Like of_store, for an open file. The path is written to `buffer`. */
static const char *of_file(int fd, char *buffer, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, buffer, size - 1);
  if (n < 0) return NULL;
  buffer[n] = 0;
  return of_store(buffer);
}

static void record(char kind, const char *path, const void *head, size_t head_length,
                   const void *bytes, size_t length) {
  if (!getenv("ACCORD_RECORD")) return;
  uint16_t path_length = (uint16_t)strlen(path);
  pthread_mutex_lock(&lock);
  if (out < 0) out = open(getenv("ACCORD_RECORD"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  struct iovec parts[5] = {{&kind, 1},
                           {&path_length, sizeof path_length},
                           {(void *)path, path_length},
                           {(void *)head, head_length},
                           {(void *)bytes, length}};
  if (writev(out, parts, 5) < 0) abort();
  pthread_mutex_unlock(&lock);
}

static void written(int fd, const void *bytes, size_t length, off64_t offset) {
  char buffer[4096];
  const char *path = of_file(fd, buffer, sizeof buffer);
  uint64_t numbers[2] = {(uint64_t)offset, (uint64_t)length};
  if (path) record('W', path, numbers, sizeof numbers, bytes, length);
}

static void truncated(const char *path, uint64_t length) {
  record('T', path, &length, sizeof length, NULL, 0);
}

static void synced(int fd, char kind) {
  char buffer[4096];
  const char *path = of_file(fd, buffer, sizeof buffer);
  if (path) record(kind, path, NULL, 0, NULL, 0);
}

/* The number of calls and of failed calls so far, shared with other processes, or NULL if calls are not counted. */
static uint64_t *counter(void) {
  static uint64_t *calls;
  pthread_mutex_lock(&lock);
  const char *path = getenv("ACCORD_CALLS");
  if (!calls && path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *shared = mmap(NULL, 2 * sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || shared == MAP_FAILED) abort();
    calls = shared;
  }
  pthread_mutex_unlock(&lock);
  return calls;
}

enum need { SPACE, NO_SPACE };

/* Counts a call on a file of the store. Returns whether the call must fail, with errno set. `tear` is set if half of the
 * call is to be done, and then the process must end. */
static int fails(const char *path, enum need need, int *tear) {
  uint64_t *calls = path ? counter() : NULL;
  if (!calls) return 0;
  uint64_t number = __atomic_add_fetch(calls, 1, __ATOMIC_SEQ_CST), first = 0, count = 0;
  const char *fault = getenv("ACCORD_FAULT");
  char kind[8] = "";
  if (!fault || sscanf(fault, "%7s %lu %lu", kind, &first, &count) != 3) return 0;
  if (number < first || number - first >= count) return 0;
  if (strcmp(kind, "full") == 0 && need == NO_SPACE) return 0;
  __atomic_add_fetch(calls + 1, 1, __ATOMIC_SEQ_CST);
  if (strcmp(kind, "torn") == 0 && tear) {
    *tear = 1;
    return 0;
  }
  if (strcmp(kind, "kill") == 0 || strcmp(kind, "torn") == 0) raise(SIGKILL);
  errno = strcmp(kind, "full") == 0 ? ENOSPC : EIO;
  return 1;
}

static int fails_file(int fd, enum need need, int *tear) {
  char buffer[4096];
  return fails(of_file(fd, buffer, sizeof buffer), need, tear);
}

/* The part of a write that is done when it is torn: whole sectors. */
static size_t half(size_t length) { return length / 2 / 512 * 512; }

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int open64(const char *path, int flags, ...) {
  REAL(open64);
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  if (flags & O_CREAT && fails(of_store(path), SPACE, NULL)) return -1;
  int fd = real(path, flags, mode);
  const char *found = fd >= 0 && (flags & O_TRUNC) ? of_store(path) : NULL;
  if (found) truncated(found, 0);
  return fd;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  int tear = 0;
  if (fails_file(fd, SPACE, &tear)) return -1;
  if (tear) length = half(length);
  ssize_t done = real(fd, bytes, length);
  if (done > 0) {
    off64_t end = lseek64(fd, 0, SEEK_CUR);
    if (end >= done) written(fd, bytes, (size_t)done, end - done);
  }
  if (tear) raise(SIGKILL);
  return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  REAL(pwrite64);
  int tear = 0;
  if (fails_file(fd, SPACE, &tear)) return -1;
  if (tear) length = half(length);
  ssize_t done = real(fd, bytes, length, offset);
  if (done > 0) written(fd, bytes, (size_t)done, offset);
  if (tear) raise(SIGKILL);
  return done;
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  if (fails_file(fd, SPACE, NULL)) return -1;
  int result = real(fd, length);
  char buffer[4096];
  const char *path = result == 0 ? of_file(fd, buffer, sizeof buffer) : NULL;
  if (path) truncated(path, (uint64_t)length);
  return result;
}

int rename(const char *from, const char *to) {
  REAL(rename);
  const char *old = of_store(from), *new = of_store(to);
  if (fails(old, SPACE, NULL)) return -1;
  int result = real(from, to);
  if (result == 0 && old && new) {
    uint16_t length = (uint16_t)strlen(new);
    record('R', old, &length, sizeof length, new, length);
  }
  return result;
}

int unlink(const char *path) {
  REAL(unlink);
  if (fails(of_store(path), NO_SPACE, NULL)) return -1;
  int result = real(path);
  const char *found = result == 0 ? of_store(path) : NULL;
  if (found) record('U', found, NULL, 0, NULL, 0);
  return result;
}

/* Syncs a file with `real`, or fails. */
static int sync_file(int fd, int (*real)(int)) {
  if (fails_file(fd, NO_SPACE, NULL)) {
    synced(fd, 'F');
    errno = EIO;
    return -1;
  }
  int result = real(fd);
  if (result == 0) synced(fd, 'S');
  return result;
}

int fsync(int fd) {
  REAL(fsync);
  return sync_file(fd, real);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return sync_file(fd, real);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned int flags) {
  REAL(sync_file_range);
  if (fails_file(fd, NO_SPACE, NULL)) return -1;
  return real(fd, offset, length, flags);
}
