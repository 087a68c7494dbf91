#include "cli/config.h"

#include <filesystem>
#include <iostream>

#include <doctest/doctest.h>

#include "base/files.h"
#include "cli/options.h"
#include "unit/cli/run_tool.h"

using namespace asap::base;
using namespace asap::cli;
using namespace asap::config;
using namespace asap::io;
using namespace asap::test;

namespace {

struct SmallConfig {
  int epochs = 2;
  double rate = 0.5;
  template <class Visitor>
  void visit(Visitor& v) {
    v.field("epochs", epochs, "passes over the training set", at_least(1));
    v.field("rate", rate, "learning rate");
  }
};

}  // namespace

TEST_CASE("--set overrides the file, which overrides the defaults") {
  const auto path = std::filesystem::temp_directory_path() / "asap_command_line_test.json";
  write_file_atomically(path, R"({"epochs": 5, "rate": 0.25})");
  CommonOptions options;
  options.config = path;
  options.assignments = {"epochs=7", "epochs=9"};
  const SmallConfig config = resolve_config(options, SmallConfig{});
  std::filesystem::remove(path);
  CHECK(config.epochs == 9);
  CHECK(config.rate == 0.25);
}

TEST_CASE("--dump-config prints what --config would read") {
  CommonOptions options;
  CHECK_FALSE(dump_config(options, SmallConfig{}));
  options.dump_config = ConfigDump::full;
  const Capture out(std::cout);
  CHECK(dump_config(options, SmallConfig{7, 0.1}));
  SmallConfig read;
  from_json(parse_json(out.text(), "dump"), read, "dump");
  CHECK(read.epochs == 7);
  CHECK(read.rate == 0.1);
}

TEST_CASE("a minimal dump holds what differs from the defaults and reads back the same") {
  CommonOptions options;
  options.dump_config = ConfigDump::minimal;
  const Capture out(std::cout);
  CHECK(dump_config(options, SmallConfig{7, 0.5}));
  CHECK(parse_json(out.text(), "dump") == Json{{"epochs", 7}});
}
