# make            build everything under build/
# make run        build, serve the example handler, call it once, keep serving until Ctrl-C
# make check      install what is missing, build, run every test: what CI runs
# make install    PREFIX=/usr DESTDIR=          make clean          make setup
# make asan / tsan / valgrind / analyze         the unit tests and the tree under a checker
# make sim SCHEDULES=1000000 SEED=1             so many simulated schedules of the factory
# make chaos SECONDS=60 SEED=1                  a daemon under load while everything happens to it
# make bench                                    what the steps of the factory cost
#
# Add a module: drop x.c and x.h into a folder.  Add a test: drop tests/unit/test_x.c.
# Add a handler: make handlers/NAME/ and idl/NAME.thrift.

BUILD   ?= build
PREFIX  ?= /usr
DESTDIR ?=
V       ?=
VERSION := 0.1.0

# --- what there is: one list per program, found by folder --------------------------------
SLUICED_SRC  := $(wildcard daemon/*.c daemon/*/*.c config/*.c actor/*/*.c)
HOST_SRC     := $(wildcard handlers/host/*.c actor/ring/*.c actor/fault/*.c)
HANDLERS     := $(filter-out sdk host,$(patsubst handlers/%/,%,$(wildcard handlers/*/)))
TEST_IDL     := $(patsubst tests/idl/%.thrift,%,$(wildcard tests/idl/*.thrift))
UNIT_TESTS   := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
SIM_SRC      := $(wildcard tests/sim/*.c actor/factory/*.c)
TEST_PLUGINS := $(patsubst tests/plugins/%.c,%,$(wildcard tests/plugins/*.c))
GENERATED    := $(HANDLERS) $(TEST_IDL)

PROGRAMS := $(BUILD)/sluiced $(BUILD)/sluice-host
PLUGINS  := $(HANDLERS:%=$(BUILD)/handlers/%.so)
TESTS    := $(UNIT_TESTS:%=$(BUILD)/tests/%) $(TEST_PLUGINS:%=$(BUILD)/tests/plugins/%.so) \
            $(BUILD)/tests/cglib_client $(BUILD)/gen-py/stamp \
            $(BUILD)/tests/sim $(BUILD)/tests/sim-faults $(BUILD)/tests/bench_factory

ifeq ($(origin CC),default)
CC := gcc
endif
# One line a step; V=1 shows the commands.
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(patsubst $(BUILD)/%,%,$@);)

# --- how it is compiled ------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wswitch-enum -Wvla
SANITIZE ?=
FAULTS   ?=
OPTIMIZE ?= -O2
CFLAGS   ?= $(OPTIMIZE) -g
COMPILE   = $(CC) -std=c11 -D_GNU_SOURCE $(CFLAGS) -fPIC -pthread \
            -fno-omit-frame-pointer $(if $(SANITIZE),-fsanitize=$(SANITIZE)) \
            -I. -I$(BUILD)/gen -Ihandlers/sdk -DSLUICE_VERSION='"$(VERSION)"' \
            $(if $(FAULTS),-DWITH_FAULTS) $(GLIB_CFLAGS) $(THRIFT_CFLAGS) $(EXTRA_CFLAGS)
LINK      = $(CC) -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)

pkg          = $(shell pkg-config $(1) 2>/dev/null)
GLIB_CFLAGS := $(call pkg,--cflags glib-2.0 gobject-2.0 gmodule-2.0 json-glib-1.0)
THRIFT_CFLAGS := $(patsubst -I%,-isystem %,$(call pkg,--cflags thrift_c_glib))
GLIB_LIBS   := $(call pkg,--libs glib-2.0)
DAEMON_LIBS := $(call pkg,--libs json-glib-1.0 libevent zlib glib-2.0) -lhttp_parser -lwslay $(call pkg,--libs openssl)
HOST_LIBS   := $(call pkg,--libs thrift_c_glib gmodule-no-export-2.0 gobject-2.0 glib-2.0)
HOST_ONLY   := $(call pkg,--libs libseccomp)
CHECK_LIBS  := $(call pkg,--libs check)
ifeq ($(and $(DAEMON_LIBS),$(HOST_LIBS),$(HOST_ONLY)),)
ifneq ($(filter-out setup check run clean asan tsan valgrind analyze,$(or $(MAKECMDGOALS),all)),)
$(error Packages are missing: `make setup` installs them, see .ci/packages)
endif
endif

.PHONY: all programs run check install clean asan tsan valgrind analyze setup tests lint sim bench chaos clients fuzz
.DELETE_ON_ERROR:
.SECONDARY:
all: $(PROGRAMS) $(PLUGINS)
tests: all $(TESTS)
programs: $(PROGRAMS)
setup:
	@.ci/setup

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) $(WARNINGS) -MMD -MP -c -o $@ $<

# Where the installed files live: compiled into config/ only, and again when PREFIX changes.
# Written while make reads this file, so that `make -q` can tell that nothing is to be done.
define PATHS
#define SLUICE_HANDLER_DIR "$(PREFIX)/lib/sluice/handlers"
#define SLUICE_HOST_PROGRAM "$(PREFIX)/lib/sluice/sluice-host"
endef
ifneq ($(PATHS),$(file <$(BUILD)/paths.h))
$(shell mkdir -p $(BUILD))
$(file >$(BUILD)/paths.h,$(PATHS))
endif
$(call objects,$(wildcard config/*.c)): EXTRA_CFLAGS += -include $(BUILD)/paths.h
$(call objects,$(wildcard config/*.c)): $(BUILD)/paths.h

# --- programs ----------------------------------------------------------------------------
$(BUILD)/sluiced: $(call objects,$(SLUICED_SRC))
	$(call say,LINK)$(LINK) -o $@ $^ $(DAEMON_LIBS)

$(BUILD)/sluice-host: $(call objects,$(HOST_SRC)) handlers/host/exports.list
	$(call say,LINK)$(LINK) -Wl,--dynamic-list=handlers/host/exports.list -o $@ $(filter %.o,$^) $(HOST_LIBS) $(HOST_ONLY)

# --- generated code and plugins ----------------------------------------------------------
$(BUILD)/gen/%/stamp: idl/%.thrift
	$(generate)
$(BUILD)/gen/%/stamp: tests/idl/%.thrift
	$(generate)
define generate
	@mkdir -p $(@D)
	$(call say,GEN)thrift --gen c_glib -out $(@D) $<
	@touch $@
endef

# The compiler's own code does not pass our warnings.
$(BUILD)/gen/%.a: $(BUILD)/gen/%/stamp
	$(call say,CC)for c in $(@D)/$*/*.c; do $(COMPILE) -w -I$(@D)/$* -c -o $${c%.c}.o $$c || exit 1; done
	@rm -f $@ && ar rcs $@ $(@D)/$*/*.o

define handler_rules
$(call objects,$(wildcard handlers/$(1)/*.c)): EXTRA_CFLAGS += -I$(BUILD)/gen/$(1) -fvisibility=hidden
$(call objects,$(wildcard handlers/$(1)/*.c)): | $(BUILD)/gen/$(1)/stamp
$(BUILD)/handlers/$(1).so: $(call objects,$(wildcard handlers/$(1)/*.c)) $(BUILD)/gen/$(1).a
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(LINK) -shared -o $$@ $$^ $$(HOST_LIBS)
endef
$(foreach h,$(HANDLERS),$(eval $(call handler_rules,$(h))))

$(BUILD)/gen-py/stamp: $(wildcard idl/*.thrift tests/idl/version_*.thrift)
	@mkdir -p $(@D)
	$(call say,GEN)for idl in $^; do thrift --gen py -out $(@D) $$idl || exit 1; done
	@touch $@

# --- tests -------------------------------------------------------------------------------
$(BUILD)/libsluiced.a: $(call objects,$(filter-out daemon/main.c,$(SLUICED_SRC)))
	@rm -f $@ && ar rcs $@ $^
$(BUILD)/libhost.a: $(call objects,$(filter-out handlers/host/main.c,$(HOST_SRC)))
	@rm -f $@ && ar rcs $@ $^

GEN_DIRS := $(GENERATED:%=-I$(BUILD)/gen/%)
$(BUILD)/obj/tests/%.o: EXTRA_CFLAGS += $(GEN_DIRS)
$(call objects,$(wildcard tests/unit/*.c tests/e2e/*.c)): | $(GENERATED:%=$(BUILD)/gen/%/stamp)

# The far side's tests have its interposed functions, as sluice-host has them.
$(BUILD)/tests/test_host_% $(BUILD)/tests/test_protocol_%: UNIT_LIBS = \
    -Wl,--whole-archive $(BUILD)/libhost.a -Wl,--no-whole-archive $(GENERATED:%=$(BUILD)/gen/%.a) $(HOST_LIBS) $(HOST_ONLY)
$(BUILD)/tests/test_%: UNIT_LIBS = $(BUILD)/libsluiced.a $(DAEMON_LIBS)
$(UNIT_TESTS:%=$(BUILD)/tests/%): $(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o \
    $(BUILD)/obj/tests/unit/runner.o $(BUILD)/libsluiced.a $(BUILD)/libhost.a $(GENERATED:%=$(BUILD)/gen/%.a)
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -rdynamic -o $@ $(filter %.o,$^) $(UNIT_LIBS) $(CHECK_LIBS)

# Those of tests/idl/version_*.thrift have generated code with the same names in both.
VERSIONS := version_one version_two
$(foreach v,$(VERSIONS),$(eval $(BUILD)/obj/tests/plugins/$(v).o: GEN_DIRS := -I$(BUILD)/gen/$(v)))
$(foreach v,$(VERSIONS),$(eval $(BUILD)/obj/tests/plugins/$(v).o: | $(BUILD)/gen/$(v)/stamp))
$(foreach v,$(VERSIONS),$(eval $(BUILD)/tests/plugins/$(v).so: $(BUILD)/gen/$(v).a))
$(BUILD)/tests/plugins/%.so: $(BUILD)/obj/tests/plugins/%.o
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -shared -o $@ $^ $(HOST_LIBS)

# A stock c_glib client: nothing of Sluice is linked into it.
$(BUILD)/tests/cglib_client: $(BUILD)/obj/tests/e2e/cglib_client.o $(BUILD)/gen/calculator.a
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -o $@ $^ $(HOST_LIBS)

# The simulator, and once more with bugs that it must find compiled into the factory.
$(BUILD)/obj/faults/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) $(WARNINGS) -DWITH_FAULTS -MMD -MP -c -o $@ $<
$(BUILD)/tests/sim: $(call objects,$(SIM_SRC))
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -o $@ $^ $(GLIB_LIBS)
$(BUILD)/tests/sim-faults: $(SIM_SRC:%.c=$(BUILD)/obj/faults/%.o)
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -o $@ $^ $(GLIB_LIBS)
$(BUILD)/tests/bench_factory: $(call objects,$(wildcard tests/bench/*.c actor/factory/*.c))
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -o $@ $^ $(GLIB_LIBS)

# --- what must hold ----------------------------------------------------------------------
check: setup
	@tests/check

run: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) all $(BUILD)/gen-py/stamp
	@SLUICE_BUILD=$(BUILD) tests/run_example

lint asan tsan valgrind analyze: setup
	@tests/check $@

SCHEDULES ?= 20000
SEED      ?= 1
sim: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) $(BUILD)/tests/sim
	$(BUILD)/tests/sim --schedules $(SCHEDULES) --seed $(SEED) --out $(BUILD)/failed.sched \
	    tests/sim/schedules/*.sched

SECONDS ?= 60
fuzz: setup
	@BUILD=$(BUILD) tests/fuzz/run $(SECONDS)

clients: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@BUILD=$(BUILD) tests/clients/run

chaos: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) tests
	@SLUICE_BUILD=$(BUILD) /usr/bin/python3 tests/chaos --seconds $(SECONDS) --seed $(SEED)

bench: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) $(BUILD)/tests/bench_factory
	@BUILD=$(BUILD) tests/bench/run

install: all
	install -D -m 755 $(BUILD)/sluiced $(DESTDIR)$(PREFIX)/sbin/sluiced
	install -D -m 755 $(BUILD)/sluice-host $(DESTDIR)$(PREFIX)/lib/sluice/sluice-host
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/sluice/handlers $(BUILD)/handlers/calculator.so
	install -D -m 644 handlers/sdk/sluice/handler.h $(DESTDIR)$(PREFIX)/include/sluice/handler.h
	install -D -m 644 config/sluice.conf.example $(DESTDIR)$(PREFIX)/share/doc/sluice/sluice.conf.example
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@VERSION@,$(VERSION),' handlers/sdk/sluice.pc.in \
	    > $(DESTDIR)$(PREFIX)/lib/pkgconfig/sluice.pc

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
