#include "asap_eval/matcher_commands.h"

#include <algorithm>

#include "asap_eval/matcher_tables.h"
#include "base/counted.h"
#include "base/files.h"
#include "base/format.h"
#include "base/timing.h"
#include "cli/allowed_options.h"
#include "cli/job.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/version.h"
#include "compile/transport_artefact.h"
#include "data/keypoint_files.h"
#include "evaluate/compare/report_context.h"
#include "evaluate/matching/match_lists.h"
#include "evaluate/matching/matcher_report.h"
#include "evaluate/matching/pair_picture.h"
#include "infer/match_threshold.h"

namespace asap::asap_eval {
namespace {

using evaluate::MatchedFile;
using evaluate::MatchingRow;

constexpr std::int64_t kPictures = 8;  // pairs that predict draws
constexpr int kReportedPairs = 4;      // pairs that the report draws

std::string fixed(double value) { return base::format_fixed(value, 3); }

/// The operator of a matcher; nothing where none is named.
std::optional<compile::TransportArtefact> read_operator(const std::filesystem::path& folder,
                                                        const infer::Matcher& matcher) {
  if (folder.empty()) return std::nullopt;
  compile::TransportArtefact artefact = compile::load_transport(folder);
  compile::require_compiled_for(artefact, folder, matcher.fingerprint());
  return artefact;
}

/// The least confidences of networks' matches: given, chosen on pairs, or the default.
class Thresholds {
 public:
  Thresholds(const MatcherCompareOptions& options, const distributed::Workers& workers)
      : given_(options.threshold), calibration_(options.calibration), workers_(workers) {
    if (given_ && !calibration_.empty())
      throw base::UsageError("--threshold and --calibration exclude each other",
                             "--calibration chooses a threshold for each network");
  }
  double of(const infer::Matcher& matcher, const std::string& name, cli::RunHeader& header) const {
    if (calibration_.empty()) return given_.value_or(infer::kMatchThreshold);
    const auto files = data::find_keypoint_files(calibration_, "--calibration");
    if (files.size() != 1)
      throw base::UsageError("--calibration: one file is needed", "give --calibration FILE");
    const data::KeypointPairs pairs =
        data::KeypointPairs::read(files[0], matcher.config().descriptors);
    const infer::MatchThreshold chosen = infer::choose_threshold(matcher, pairs, workers_);
    header.add("threshold", base::format_fixed(chosen.threshold, 2) + " of " + name +
                                ", chosen on " + base::counted(pairs.size(), "pair") +
                                " (F1 there " + fixed(chosen.counts.f1()) + ")");
    return chosen.threshold;
  }

  /// UsageError where pairs that are compared chose the thresholds.
  void refuse(const std::vector<std::filesystem::path>& compared) const {
    if (calibration_.empty()) return;
    const auto print = [](const std::filesystem::path& path) {
      return base::content_fingerprint(base::read_file(path));
    };
    for (const std::filesystem::path& calibration :
         data::find_keypoint_files(calibration_, "--calibration")) {
      const std::string chosen = print(calibration);
      for (const std::filesystem::path& path : compared)
        if (print(path) == chosen)
          throw base::UsageError(
              "--calibration '" + calibration.string() + "' holds the pairs that are compared",
              "choose thresholds on other pairs");
    }
  }

 private:
  std::optional<double> given_;
  std::string calibration_;
  distributed::Workers workers_;
};

std::vector<evaluate::MatchingMethod> methods_of(const std::vector<std::string>& names,
                                                 const infer::Matcher& matcher,
                                                 bool with_operator) {
  std::vector<evaluate::MatchingMethod> methods;
  for (const std::string& name :
       names.empty() ? evaluate::default_matching_methods(matcher.config(), with_operator) : names)
    methods.push_back(evaluate::MatchingMethod::parse(name));
  return methods;
}

/// Where the numbers of a report come from.
std::vector<std::pair<std::string, std::string>> facts_of(const infer::Matcher& matcher,
                                                          int threads) {
  std::vector<std::pair<std::string, std::string>> facts = evaluate::program_versions();
  facts.emplace_back("SIMD", cli::simd_name());
  facts.emplace_back("threads", std::to_string(threads));
  facts.emplace_back("model", matcher.fingerprint());
  return facts;
}

/// Refuses ranks that run different programs, or that see another network or other pairs.
void require_same_pairs(const std::vector<std::filesystem::path>& paths,
                        const infer::Matcher& matcher, distributed::Ranks& ranks) {
  if (ranks.size() == 1) return;
  distributed::NamedValues values = cli::program_identity();
  values.emplace_back("the fingerprint of the model", matcher.fingerprint());
  for (const std::filesystem::path& path : paths)
    values.emplace_back("the fingerprint of " + path.string(),
                        base::content_fingerprint(base::read_file(path)));
  distributed::require_same(ranks, values, "start all ranks with one program and the same files");
}

}  // namespace

void compare_matcher(const cli::CommonOptions& common, const MatcherCompareOptions& options,
                     distributed::Ranks& ranks) {
  cli::allow_only(common,
                  {"--run", "--compiled", "--methods", "--pairs", "--also", "--iterations",
                   "--threshold", "--calibration", "--examples"},
                  "runs of a matcher");
  cli::OutputFolder folder(common);
  cli::RunHeader header(common, "asap-eval compare", std::nullopt);
  cli::describe_ranks(ranks, common.threads, header);
  const infer::Matcher matcher = infer::Matcher::load(options.run);
  header.add("model", config::describe_matcher(matcher.config()));
  std::vector<infer::Matcher> networks;
  for (const std::filesystem::path& other : options.others)
    networks.push_back(infer::Matcher::load(other));
  std::vector<evaluate::NamedMatcher> others;
  for (std::size_t i = 0; i < networks.size(); ++i)
    others.push_back({options.others[i].string(), &networks[i]});
  const auto artefact = read_operator(options.compiled, matcher);
  evaluate::MatcherComparisonConfig config{
      .methods = methods_of(options.methods, matcher, artefact.has_value()),
      .teacher_iterations = artefact ? artefact->teacher_iterations : matcher.config().iterations,
      .workers = {common.threads, ranks}};
  if (artefact) config.map = artefact->map;
  if (options.iterations) config.teacher_iterations = *options.iterations;
  header.add("teacher", "the network's scores, T = " + std::to_string(config.teacher_iterations));
  const Thresholds thresholds(options, config.workers);
  const std::string list =
      options.pairs.empty() ? infer::read_matcher_config(options.run).data.test : options.pairs;
  const std::vector<std::filesystem::path> paths =
      data::find_keypoint_files(list, options.pairs.empty() ? "`data.test` of the run" : "--pairs");
  if (paths.empty())
    throw base::UsageError("the run names no test pairs", "give files with --pairs");
  thresholds.refuse(paths);
  config.threshold = thresholds.of(matcher, options.run.string(), header);
  for (evaluate::NamedMatcher& other : others)
    other.threshold = thresholds.of(*other.matcher, other.name, header);
  require_same_pairs(paths, matcher, ranks);
  cli::ProgressBar bar(
      common,
      {.title = "compare", .item = "files", .total = static_cast<std::int64_t>(paths.size())});
  evaluate::MatcherReport report{.model = config::describe_matcher(matcher.config()),
                                 .run = options.run.string(),
                                 .teacher_iterations = config.teacher_iterations,
                                 .commands = commands_of(options, artefact),
                                 .facts = facts_of(matcher, common.threads)};
  std::vector<MatchedFile>& files = report.files;
  for (const std::filesystem::path& path : paths) {
    data::KeypointPairs pairs = data::KeypointPairs::read(path, matcher.config().descriptors);
    pairs.keep_first(options.examples.value_or(0));
    files.push_back(
        {path.string(), pairs.size(), evaluate::compare_matchers(pairs, matcher, others, config)});
    bar.update(static_cast<std::int64_t>(files.size()));
    if (path == paths.back() && ranks.leads())
      report.pictures = evaluate::picture_pairs(pairs, matcher, config.threshold, kReportedPairs,
                                                path.stem().string());
  }
  bar.finish();
  if (!ranks.leads()) return;
  folder.begin();
  base::write_file_atomically(folder.path() / "comparison.csv", csv_of(files));
  base::write_file_atomically(folder.path() / "report.html", evaluate::matcher_report_page(report));
  io::Json summary = {
      {"run", options.run.string()},   {"model_fingerprint", matcher.fingerprint()},
      {"threshold", config.threshold}, {"teacher_iterations", config.teacher_iterations},
      {"commands", report.commands},   {"files", io::Json::array()}};
  for (const evaluate::NamedMatcher& other : others)
    summary["also"].push_back({{"run", other.name}, {"threshold", other.threshold}});
  if (!options.calibration.empty()) summary["calibration"] = options.calibration;
  for (const MatchedFile& file : files) {
    io::Json methods = io::Json::array();
    for (const MatchingRow& row : file.rows) methods.push_back(json_of(row));
    summary["files"].push_back({{"file", file.file}, {"pairs", file.pairs}, {"methods", methods}});
  }
  folder.finish(summary,
                table_of(files) + "report: " + (folder.path() / "report.html").string() + "\n");
}

void predict_matches(const cli::CommonOptions& common, const MatcherPredictOptions& options) {
  cli::allow_only(common, {"--run", "--compiled", "--input", "--method", "--threshold"},
                  "runs of a matcher");
  cli::OutputFolder folder(common);
  cli::RunHeader header(common, "asap-eval predict", std::nullopt);
  const infer::Matcher matcher = infer::Matcher::load(options.run);
  const auto artefact = read_operator(options.compiled, matcher);
  const auto method = evaluate::MatchingMethod::parse(
      !options.method.empty() ? options.method : (artefact ? "compiled" : "network"));
  header.add("model", config::describe_matcher(matcher.config()));
  header.add("method", method.name());
  const data::KeypointPairs pairs =
      data::KeypointPairs::read(options.input, matcher.config().descriptors);
  infer::require_descriptors(matcher.config(), pairs);
  header.add("input", options.input + ": " + base::counted(pairs.size(), "pair"));
  evaluate::MatcherComparisonConfig config{
      .methods = {method},
      .threshold = options.threshold.value_or(infer::kMatchThreshold),
      .workers = common.threads};
  if (artefact) {
    config.map = artefact->map;
    config.teacher_iterations = artefact->teacher_iterations;
  }
  const base::Stopwatch watch;
  const std::vector<infer::Matches> matches = evaluate::match_by(pairs, matcher, config);
  const double seconds = watch.seconds();
  std::int64_t count = 0;
  for (const infer::Matches& of_pair : matches)
    for (const std::int32_t partner : of_pair.partners) count += partner >= 0 ? 1 : 0;
  folder.begin();
  base::write_file_atomically(folder.path() / "matches.csv", evaluate::matches_as_csv(matches));
  io::write_json(folder.path() / "matches.json", evaluate::matches_as_json(matches));
  for (std::int64_t p = 0; p < std::min(pairs.size(), kPictures); ++p)
    base::write_file_atomically(folder.path() / ("pair-" + std::to_string(p) + ".svg"),
                                evaluate::pair_picture(pairs, p, matches[p]));
  io::Json summary = {{"run", options.run.string()}, {"model_fingerprint", matcher.fingerprint()},
                      {"method", method.name()},     {"threshold", config.threshold},
                      {"pairs", pairs.size()},       {"matches", count},
                      {"seconds", seconds}};
  std::string text = base::counted(count, "match", "matches") + " of " +
                     base::counted(pairs.size(), "pair") + " in " +
                     (folder.path() / "matches.csv").string() + "\n";
  if (pairs.has_matches() && pairs.match_count() > 0) {
    const infer::MatchCounts counts = infer::count_all(matches, pairs);
    summary["precision"] = counts.precision();
    summary["recall"] = counts.recall();
    summary["f1"] = counts.f1();
    text += "precision " + fixed(counts.precision()) + ", recall " + fixed(counts.recall()) +
            ", F1 " + fixed(counts.f1()) + "\n";
  }
  folder.finish(summary, text);
}

}  // namespace asap::asap_eval
