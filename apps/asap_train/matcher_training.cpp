#include "asap_train/matcher_training.h"

#include "asap_train/training_progress.h"
#include "base/counted.h"
#include "base/format.h"
#include "base/text_table.h"
#include "base/timing.h"
#include "cli/config.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/summary.h"
#include "data/keypoint_files.h"
#include "data/keypoints/descriptors.h"
#include "train/matcher_trainer.h"

namespace asap::asap_train {
namespace {

std::string pairs_line(const data::KeypointPairs& pairs) {
  return pairs.source() + ": " + base::counted(pairs.size(), "pair") + ", " +
         base::counted(pairs.match_count(), "match", "matches") + ", " +
         data::descriptor_kind_name(pairs.descriptor_kind()) + " descriptors of " +
         base::counted(pairs.descriptor_width(), "number");
}

std::vector<data::KeypointPairs> read_tests(const config::MatcherTrainConfig& config,
                                            const data::KeypointPairs& pairs) {
  std::vector<data::KeypointPairs> tests;
  for (const std::filesystem::path& file :
       data::find_keypoint_files(config.data.test, "`data.test`")) {
    data::KeypointPairs test = data::KeypointPairs::read(file, config.model.matcher.descriptors);
    if (!test.has_matches())
      throw base::DataError(test.source() + ": test pairs need the arrays matches0 and matches1",
                            "leave the file out of data.test");
    if (test.descriptor_width() != pairs.descriptor_width())
      throw base::DataError(
          test.source() + ": descriptors of " + base::counted(test.descriptor_width(), "number") +
              ", those of " + pairs.source() + " have " + std::to_string(pairs.descriptor_width()),
          "describe the keypoints of training and test pairs alike");
    test.keep_first(config.data.test_pairs);
    tests.push_back(std::move(test));
  }
  return tests;
}

io::Json summary_of(const config::MatcherTrainConfig& config,
                    const train::MatcherTrainingResult& result) {
  io::Json tests = io::Json::array();
  for (const train::MatcherTest& test : result.tests)
    tests.push_back({{"file", test.source},
                     {"precision", test.counts.precision()},
                     {"recall", test.counts.recall()},
                     {"f1", test.counts.f1()}});
  io::Json summary = {{"train",
                       {{"steps", result.steps},
                        {"total_steps", result.total_steps},
                        {"finished", result.finished},
                        {"loss", result.train_loss},
                        {"seconds", result.seconds},
                        {"pairs_per_second", result.pairs_per_second}}},
                      {"test", tests},
                      {"model", {{"parameters", result.parameters}}},
                      {"memory", {{"peak_bytes", base::peak_memory_bytes()}}},
                      {"config", config::to_json(config)}};
  if (config.model.matcher.output == config::MatcherOutput::dustbin)
    summary["model"]["bin"] = result.bin;
  return summary;
}

std::string text_of(const config::RunFolder& folder, const train::MatcherTrainingResult& result) {
  base::Table table({{"test pairs", base::Table::Align::left}, {"precision"}, {"recall"}, {"F1"}});
  for (const train::MatcherTest& test : result.tests)
    table.add_row({test.source, base::format_fixed(test.counts.precision(), 3),
                   base::format_fixed(test.counts.recall(), 3),
                   base::format_fixed(test.counts.f1(), 3)});
  return (result.tests.empty() ? "" : table.text()) + base::counted(result.steps, "step") + " (" +
         base::format_seconds(result.seconds) + ", " +
         base::format_fixed(result.pairs_per_second, 1) + " pairs/s)\n" +
         (result.finished ? "run: " : "stopped early; continue with --resume. run: ") +
         folder.path().string() + "\n";
}

}  // namespace

bool asks_for_matcher(const cli::CommonOptions& common) {
  bool matcher = !common.config.empty() && config::is_matcher(io::read_json(common.config));
  constexpr std::string_view kKind = "model.kind=";
  for (const std::string& assignment : common.assignments)
    if (assignment.starts_with(kKind)) {
      const std::string kind = assignment.substr(kKind.size());
      matcher = kind == "matcher" || kind == "\"matcher\"";
    }
  return matcher;
}

void run_matcher_training(const cli::CommonOptions& common, train::TrainerOptions options,
                          bool tensorboard) {
  config::MatcherTrainConfig config = cli::resolve_config(common, config::MatcherTrainConfig{});
  if (common.seed) config.seed = *common.seed;
  config.validate(cli::config_source(common));
  if (common.dump_config == cli::ConfigDump::minimal) {
    io::Json defaults = config::to_json(config::MatcherTrainConfig{});
    defaults["model"].erase("kind");  // without it the fields are those of other networks
    cli::dump_json(common, config::to_json(config), defaults);
    return;
  }
  if (cli::dump_config(common, config)) return;
  const config::RunFolder folder(common.required_out());
  cli::refuse_results_of_others(common);
  cli::RunHeader header(common, "asap-train", config.seed);
  distributed::Ranks& ranks = *options.team.ranks;
  cli::describe_ranks(ranks, common.threads, header);
  const std::vector<std::filesystem::path> files =
      data::find_keypoint_files(config.data.train, "`data.train`");
  if (files.size() != 1)
    throw base::UsageError(cli::config_source(common) + ": data.train names " +
                               base::counted(files.size(), "file") + ", expected one",
                           "join the pairs in one file");
  data::KeypointPairs pairs = data::KeypointPairs::read(files.front(), config.data.descriptors);
  pairs.keep_first(config.data.train_pairs);
  config.model.matcher = train::complete_matcher(config.model.matcher, pairs);
  const std::vector<data::KeypointPairs> tests = read_tests(config, pairs);
  const std::size_t usable = train::usable_pairs(pairs).size();
  header.add("data", pairs_line(pairs));
  if (static_cast<std::int64_t>(usable) < pairs.size())
    header.add("skipped", base::counted(pairs.size() - static_cast<std::int64_t>(usable), "pair") +
                              " without keypoints, or with ambiguous ones only");
  for (const data::KeypointPairs& test : tests) header.add("test", pairs_line(test));
  header.add("model", config::describe_matcher(config.model.matcher));
  header.add("training", base::counted(config.train.max_steps, "step") + " of " +
                             base::counted(config.train.batch, "pair"));

  options.threads = common.threads;
  cli::ProgressBar bar(common, {.title = "train",
                                .item = "pairs",
                                .total = config.train.max_steps,
                                .items_per_step = static_cast<double>(config.train.batch)});
  report_to(bar, options);
  io::EventMirror mirror(folder.metrics(), io::event_file_of(folder.path()));
  tensorboard = tensorboard && ranks.leads();
  if (tensorboard) mirror_metrics(mirror, options);
  const cli::InterruptGuard interrupt;
  options.should_stop = [&] { return interrupt.interrupted(); };
  const train::MatcherTrainingResult result =
      train::train_matcher(config, folder, pairs, tests, options);
  bar.finish();
  if (tensorboard) mirror.update();
  if (result.interrupted) stop_interrupted(interrupt, result.steps, result.total_steps);
  if (!ranks.leads()) return;
  cli::finish_with_summary(common, summary_of(config, result), text_of(folder, result));
}

}  // namespace asap::asap_train
