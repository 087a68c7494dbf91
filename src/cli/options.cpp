#include "cli/options.h"

#include <algorithm>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "config/field_range.h"
#include "distributed/job/launched_job.h"
#include "tensor/simd/instruction_set.h"

namespace asap::cli {

const std::filesystem::path& CommonOptions::required_out() const {
  if (out.empty())
    throw base::UsageError("--out is required", "name a folder for the results: --out DIR");
  return out;
}

CLI::Option* take_one_of(CLI::Option* option, const std::vector<std::string>& words) {
  const std::string name = option->get_name();
  option->type_name(base::join(words, "|"));
  return option->check([name, words](const std::string& text) {
    if (!text.empty() && std::ranges::find(words, text) == words.end())
      throw base::UsageError(
          name + " must be one of " + base::join(words, ", ") + "; got '" + io::excerpt(text) + "'",
          base::suggestion(text, words));
    return std::string();
  });
}

CLI::Validator number_in(const config::FieldRange& range) {
  return {[range](const std::string& text) {
            double value = 0;
            if (!CLI::detail::lexical_cast(text, value))
              return "a number is expected, got '" + io::excerpt(text) + "'";
            return config::inside(range, value) ? std::string()
                                                : "must be " + config::range_text(range) +
                                                      ", got '" + io::excerpt(text) + "'";
          },
          ""};
}

CLI::Option* show_default(CLI::Option* option, const std::vector<config::FieldDescription>& keys,
                          const std::string& key) {
  const auto found = std::ranges::find(keys, key, &config::FieldDescription::path);
  base::check(found != keys.end(), "show_default: there is such a key");
  const io::Json& value = found->value;
  if (value.is_array()) {
    std::vector<std::string> parts;
    for (const io::Json& part : value)
      parts.push_back(part.is_string() ? part.get<std::string>() : part.dump());
    return option->default_str(base::join(parts, ","));
  }
  return option->default_str(value.is_string() ? value.get<std::string>() : value.dump());
}

void add_information_options(CLI::App& command, const std::string& program) {
  const std::string group = kInformationGroup;
  command.set_help_flag("-h,--help", "Print this help, then stop")->group(group);
  command
      .set_version_flag("--version", version_line(program),
                        "Print version, commit, compiler, MPI and instruction set, then stop")
      ->group(group);
}

void add_common_options(CLI::App& command, CommonOptions& options, const std::string& program,
                        const std::string& example, bool overwrites) {
  options.program = program;
  options.command = &command;
  options.threads = base::default_thread_count();

  const std::string run = "Run";
  command.add_option("--out", options.out, "Folder for all results; summary.json is written last")
      ->type_name("DIR")
      ->group(run);
  if (overwrites)
    command
        .add_flag("--overwrite", options.overwrite,
                  "Replace results of the same command with other settings in --out")
        ->group(run);
  command.add_option("--config", options.config, "Configuration file (JSON); see --dump-config")
      ->type_name("FILE")
      ->group(run);
  command
      .add_option("--set", options.assignments,
                  "Set one key of the configuration; --help-keys lists them")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group(run);
  const auto set_dump = [&options](const std::string& text) {
    options.dump_config = text == "minimal" ? ConfigDump::minimal : ConfigDump::full;
  };
  take_one_of(
      command.add_option_function<std::string>(
          "--dump-config", set_dump,
          "Print the resolved configuration, then stop: all keys, or only those that differ "
          "from their defaults (minimal)"),
      {"minimal", "full"})
      ->expected(0, 1)
      ->group(run);
  command
      .add_option("--seed", options.seed,
                  "Seed of all random numbers; overrides the key seed of the configuration")
      ->type_name("N")
      ->check(number_in(config::at_least(0)))
      ->group(run);
  command
      .add_option("--threads", options.threads,
                  "Worker threads; the result does not depend on their number")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group(run);
  command
      .add_option_function<std::string>(
          "--simd",
          [](const std::string& name) {
            try {
              tensor::limit_instruction_set(name);
            } catch (const base::UsageError& error) {
              throw base::UsageError(std::string("--simd: ") + error.what(), error.hint());
            }
          },
          "Use no better instruction set than this: amx, avx3_bf16, avx3 (AVX-512), avx2 or a "
          "lesser "
          "one; machines that use the same one get the same bytes")
      ->type_name("NAME")
      ->group(run);

  const std::string output = "Output";
  CLI::Option* quiet =
      command.add_flag("--quiet", options.quiet, "Print only errors")->group(output);
  command.add_flag("--verbose", options.verbose, "Print log messages")
      ->excludes(quiet)
      ->group(output);
  command.add_flag("--json", options.json, "Print only the summary, as one JSON document")
      ->group(output);

  add_information_options(command, program);
  command.footer(example);
}

void configure_logging(const CommonOptions& options) {
  const bool colours = terminal_on_stderr().colours;
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      colours ? spdlog::color_mode::automatic : spdlog::color_mode::never);
  auto logger = std::make_shared<spdlog::logger>("asap", std::move(sink));
  const distributed::Ranks& ranks = distributed::joined_job();
  const std::string rank =
      ranks.size() > 1 ? " [rank " + std::to_string(ranks.rank()) + "]" : std::string();
  logger->set_pattern("[%H:%M:%S.%e]" + rank + " %^%l%$ %v");
  logger->set_level(options.verbose ? spdlog::level::debug : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace asap::cli
