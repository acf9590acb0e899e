"""A clock that is an hour late in the second run: nothing is ordered by it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.sweeping import until
from tests.faults.invariants import Rows, Scene, checkpoints, send, spec, survived

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#define BACK 3600
int clock_gettime(clockid_t id, struct timespec *t) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int r = real(id, t);
  if (id == CLOCK_REALTIME) t->tv_sec -= BACK;
  return r;
}
time_t time(time_t *out) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (out) *out = t.tv_sec;
  return t.tv_sec;
}
int gettimeofday(struct timeval *v, void *zone) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  v->tv_sec = t.tv_sec;
  v->tv_usec = t.tv_nsec / 1000;
  return 0;
}

/* Deadlines by that clock, back to the kernel's; one of a stopwatch is a small number, and left. */
static const struct timespec *kernels(const struct timespec *t, struct timespec *room) {
  if (!t || t->tv_sec < 1000000000) return t;
  *room = *t;
  room->tv_sec += BACK;
  return room;
}
int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t) {
  static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  struct timespec room;
  if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  return real(c, m, kernels(t, &room));
}
long syscall(long number, ...) {
  static long (*real)(long, ...);
  struct timespec room;
  long a[6];
  va_list list;
  if (!real) real = dlsym(RTLD_NEXT, "syscall");
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  if (number == SYS_futex && (a[1] & FUTEX_CLOCK_REALTIME))
    a[3] = (long)kernels((const struct timespec *)a[3], &room);
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
"""


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that tells a process a time an hour ago."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to build the clock with: the clock is not moved")
    folder = tmp_path_factory.mktemp("clock")
    (folder / "clock.c").write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "clock.so", folder / "clock.c", "-ldl"], check=True)
    return folder / "clock.so"


@pytest.mark.slow
@pytest.mark.faults
def test_an_hour_back(stage: Scene, reference: Rows, shim: Path) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    send(run)
    run.communicate()
    stage.left.assert_none()
    again = stage.run(spec(stage.folder), LD_PRELOAD=str(shim))
    assert again.returncode == 0, again.stderr
    grown = stage.run(spec(stage.folder), LD_PRELOAD=str(shim))
    assert "nothing to train" in grown.stderr
    survived("clock moved back an hour", stage, reference)
