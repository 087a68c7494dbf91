#include "cli/options.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/parallel.h"
#include "cli/terminal.h"
#include "cli/version.h"

namespace asap {

const std::filesystem::path& CommonOptions::required_out() const {
  if (out.empty())
    throw UsageError("--out is required", "name a folder for the results: --out DIR");
  return out;
}

void add_information_options(CLI::App& command, const std::string& program) {
  const std::string group = "Information";
  command.set_help_flag("-h,--help", "Print this text and stop")->group(group);
  command
      .set_version_flag("--version", version_line(program),
                        "Print version, compiler and instruction set, and stop")
      ->group(group);
}

void add_common_options(CLI::App& command, CommonOptions& options, const std::string& program,
                        const std::string& example) {
  options.threads = default_thread_count();

  const std::string run = "Run";
  command.add_option("--out", options.out, "Folder for all results; summary.json is written last")
      ->type_name("DIR")
      ->group(run);
  command.add_option("--config", options.config, "Configuration file (JSON)")
      ->type_name("FILE")
      ->group(run);
  command
      .add_option("--set", options.assignments,
                  "Set one key of the configuration, e.g. train.epochs=3; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group(run);
  command
      .add_flag("--dump-config", options.dump_config, "Print the resolved configuration and stop")
      ->group(run);
  command.add_option("--seed", options.seed, "Seed of all random numbers")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->group(run);
  command
      .add_option("--threads", options.threads,
                  "Worker threads; the result is the same for any number")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group(run);

  const std::string output = "Output";
  CLI::Option* quiet =
      command.add_flag("--quiet", options.quiet, "Print errors only")->group(output);
  command.add_flag("--verbose", options.verbose, "Print what happens inside")
      ->excludes(quiet)
      ->group(output);
  command.add_flag("--json", options.json, "Print the summary as JSON and nothing else")
      ->group(output);

  add_information_options(command, program);
  command.footer("\nExample:\n  " + example);
}

void configure_logging(const CommonOptions& options) {
  const bool colours = terminal_on_stderr().colours;
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      colours ? spdlog::color_mode::automatic : spdlog::color_mode::never);
  auto logger = std::make_shared<spdlog::logger>("asap", std::move(sink));
  logger->set_pattern("[%H:%M:%S.%e] %^%l%$ %v");
  logger->set_level(options.verbose ? spdlog::level::debug : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace asap
