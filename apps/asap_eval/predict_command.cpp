#include <unistd.h>

#include "asap_eval/commands.h"
#include "asap_eval/matcher_commands.h"
#include "asap_eval/model_flags.h"
#include "base/counted.h"
#include "base/format.h"
#include "base/text.h"
#include "base/text_table.h"
#include "cli/job.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/standard_output.h"
#include "evaluate/compare/stored_cascade.h"
#include "infer/matcher.h"
#include "predict/predict_run.h"
#include "predict/stream.h"

namespace asap::asap_eval {
namespace {

constexpr std::size_t kShownClasses = 12;  // most for which the confusion matrix is printed

const std::map<std::string, predict::TextFormat> kFormats = {{"lines", predict::TextFormat::lines},
                                                             {"csv", predict::TextFormat::csv},
                                                             {"tsv", predict::TextFormat::tsv},
                                                             {"jsonl", predict::TextFormat::jsonl}};

class PredictCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* command = program.add_subcommand(
        "predict",
        "Classify new texts, images or sets of points with a trained network, from a run or a "
        "bundle; match pairs of keypoints.");
    add_model(*command);
    add_input(*command);
    add_answers(*command);
    cli::add_common_options(
        *command, common_, "asap-eval",
        "asap-eval predict --model news.safetensors --input articles.csv --out runs/answers");
    return command;
  }

  bool works_in_ranks() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    distributed::Ranks& ranks = cli::prepare_ranks(common_);
    const std::filesystem::path& trained = model_.path();
    if (!model_.is_bundle() && infer::is_matcher_run(trained)) {
      cli::require_single_process(ranks, "the prediction of a matcher");
      return predict_matches(common_, {trained, model_.compiled(), input_, method_, threshold_});
    }
    if (threshold_) throw base::UsageError("--threshold is for runs of a matcher", "leave it out");
    const bool streams = input_ == "-";
    if (streams && !common_.out.empty())
      throw base::UsageError("--input - writes to standard output", "leave out --out");
    if (streams && (predictor_.plans || predictor_.embeddings))
      throw base::UsageError("--input - writes lines, not arrays",
                             "leave out --plans and --embeddings");
    if (streams) cli::require_single_process(ranks, "--input -");
    cli::OutputFolder folder(common_, !streams);
    cli::RunHeader header(common_, "asap-eval predict", std::nullopt);
    cli::describe_ranks(ranks, common_.threads, header);
    predictor_.ranks = &ranks;
    const bundle::TrainedModel model = bundle::load_model(trained, model_.compiled());
    const evaluate::Method method = chosen_method(model);
    if (ranks.size() > 1) {
      distributed::NamedValues identity = cli::program_identity();
      identity.emplace_back("the fingerprint of the model", model.encoder.fingerprint());
      identity.emplace_back("the method", method.name());
      distributed::require_same(ranks, identity, "start all ranks with one program and model");
    }
    header.add("model", model.source + ": " + config::describe_model(model.config.model));
    header.add("method", model.encoder.config().has_attention() ? method.name() : "no attention");
    predictor_.threads = config_.threads = common_.threads;
    if (format_) config_.format = kFormats.at(*format_);
    predict::Predictor predictor(model, method, predictor_, cascade_threshold(model, method));
    if (streams)
      stream(model, predictor);
    else
      answer(model, method, predictor, header, folder);
  }

 private:
  void add_model(CLI::App& command) {
    model_.add_to(command);
    command
        .add_option("--method", method_,
                    "Attention: teacher, compiled, sinkhorn:K or another method of asap-eval "
                    "compare; default: compiled if there is an operator, else teacher")
        ->type_name("NAME");
    cascade_option_ =
        command
            .add_option(
                "--cascade", cascade_,
                "The teacher runs examples again whose two largest outputs are close, at "
                "most this share of those that choose the threshold; without a value .05 or "
                "the bundle's")
            ->type_name("SHARE")
            ->expected(0, 1)
            ->check(cli::number_in(config::between(0, 1)));
  }

  void add_input(CLI::App& command) {
    command
        .add_option("--input", input_,
                    "Texts (.csv, .tsv, .jsonl, or one a line), images (a file, a folder, IDX) or "
                    "sets of points (.npy, .csv); of a matcher: pairs of keypoints (.npz, "
                    ".safetensors); -: texts from standard input, answered at once")
        ->type_name("FILE")
        ->required();
    cli::take_one_of(command.add_option("--format", format_,
                                        "How lines of text are read; default: by the name of the "
                                        "file, lines for standard input"),
                     {"lines", "csv", "tsv", "jsonl"});
    command
        .add_option("--text-columns", config_.text_columns,
                    "Columns or keys of the text: names, or numbers from 1; default: as in the "
                    "training")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    command
        .add_option("--label-column", config_.label_column,
                    "Column or key of the label, or none; default: as in the training, if there is "
                    "one")
        ->type_name("NAME");
    cli::take_one_of(
        command.add_option_function<std::string>(
            "--header", [this](const std::string& word) { config_.header = word == "yes"; },
            "Whether the first line names the columns; default: seen from the line"),
        {"yes", "no"});
    cli::take_one_of(command.add_option_function<std::string>(
                         "--resize",
                         [this](const std::string& word) {
                           config_.resize =
                               word == "crop" ? predict::Resize::crop : predict::Resize::stretch;
                         },
                         "Bring images of other sizes to that of the network"),
                     {"stretch", "crop"});
    command.add_flag("--keep-going", keep_going_,
                     "Report inputs that cannot be read, answer the others, and end with exit code "
                     "3");
  }

  void add_answers(CLI::App& command) {
    command
        .add_option("--threshold", threshold_,
                    "Matchers: least confidence of a match of the network; default 0.4")
        ->type_name("P")
        ->check(cli::number_in(config::between(0, 1)));
    command.add_option("--top", top_, "Name the K most probable classes")
        ->type_name("K")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command.add_flag("--embeddings", predictor_.embeddings,
                     "Also write embeddings.npy: what the last linear layer reads");
    command.add_flag("--plans", predictor_.plans,
                     "Also write the attention plans of every example in plans/");
    command.add_flag("--certificate", predictor_.certificate,
                     "Add the column error of the plans: how far they are from doubly stochastic");
    command
        .add_option("--batch", predictor_.batch,
                    "Examples that a thread takes at a time; the answers do not depend on it")
        ->type_name("N")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
  }

  evaluate::Method chosen_method(const bundle::TrainedModel& model) const {
    evaluate::Method method = predict::method_of(method_, model);
    if (cascade_option_->count() > 0) {
      if (!method.is_compiled())
        throw base::UsageError("--cascade follows a compiled method, not '" + method.name() + "'",
                               "add --compiled DIR, or leave out --cascade");
      method.cascade = true;
    }
    return method;
  }

  std::optional<evaluate::CascadeThreshold> cascade_threshold(
      const bundle::TrainedModel& model, const evaluate::Method& method) const {
    if (!method.cascade) return std::nullopt;
    if (model_.is_bundle())
      return evaluate::stored_threshold(model.cascade, model.source, method, cascade_);
    if (!model.compiled)
      throw base::UsageError("a cascade needs a compiled operator", "add --compiled DIR");
    evaluate::CascadeConfig cascade;
    if (cascade_) cascade.share = *cascade_;
    return evaluate::run_threshold(model, model_.path(), method, cascade, common_.threads);
  }

  void stream(const bundle::TrainedModel& model, predict::Predictor& predictor) const {
    const predict::StreamSummary summary = predict::predict_stream(
        model, predictor, {STDIN_FILENO, config_, top_, keep_going_}, cli::print);
    end_with_faults(summary.faults, summary.answered);
  }

  void answer(const bundle::TrainedModel& model, const evaluate::Method& method,
              predict::Predictor& predictor, cli::RunHeader& header, cli::OutputFolder& folder) {
    const std::unique_ptr<predict::InputReader> input = predict::open_input(input_, model, config_);
    const char* kind = data::examples_name(predictor.no_examples().dataset.kind);
    header.add("input", input_ + ": " + base::counted_plural(input->total(), kind));
    if (!input->skipped().empty()) header.add("skipped", input->skipped() + " in " + input_);
    cli::ProgressBar bar(common_, {.title = "predict", .item = kind, .total = input->total()});
    predict::Faults faults =
        keep_going_ ? predict::Faults([&](const base::DataError& error, std::int64_t) {
          bar.print_above(std::string("asap-eval: error: ") + error.what());
        })
                    : predict::Faults();
    const predict::PredictionSummary result = predict::predict_to_folder(
        *input, predictor,
        {predictor_, model.class_names, top_, folder.path(), [&] { folder.begin(); }}, faults,
        [&](std::int64_t done) { bar.update(done); });
    bar.finish();
    io::Json summary = summary_of(model, method, result);
    if (!input->skipped().empty()) summary["skipped"] = input->skipped();
    folder.finish(summary, text_of(model, result));
    end_with_faults(result.faults, result.answered);
  }

  static void end_with_faults(std::int64_t faults, std::int64_t answered) {
    if (faults > 0)
      throw base::DataError(base::format_count(faults) + " of " +
                            base::counted(faults + answered, "input") + " could not be answered");
  }

  static io::Json summary_of(const bundle::TrainedModel& model, const evaluate::Method& method,
                             const predict::PredictionSummary& result) {
    io::Json summary = {
        {"model", model.source},
        {"model_fingerprint", model.encoder.fingerprint()},
        {"method", method.name()},
        {"examples", result.answered},
        {"errors", result.faults},
        {"seconds", result.seconds},
        {"examples_per_second", static_cast<double>(result.answered) / result.seconds},
        {"classes", model.class_names},
        {"predicted", result.predicted}};
    if (method.cascade) summary["rerun_examples"] = result.reruns;
    if (result.confusion.labelled() > 0) {
      summary[model.config.model.labels_tokens() ? "labelled_tokens" : "labelled_examples"] =
          result.confusion.labelled();
      summary["accuracy"] = result.confusion.accuracy();
      summary["confusion"] = result.confusion.counts();
    }
    return summary;
  }

  std::string text_of(const bundle::TrainedModel& model,
                      const predict::PredictionSummary& result) const {
    std::string text = base::counted(result.answered, "answer") + " in " +
                       (common_.out / "predictions.csv").string() + "\n";
    if (result.confusion.labelled() == 0) return text;
    text += "accuracy " + base::format_fixed(result.confusion.accuracy(), 4) + " on " +
            base::format_count(result.confusion.labelled()) +
            (model.config.model.labels_tokens() ? " labelled tokens\n" : " labelled examples\n");
    if (model.class_names.size() > kShownClasses) return text;
    std::vector<base::Table::Column> columns = {{"label", base::Table::Align::left}};
    for (const std::string& name : model.class_names) columns.push_back({name});
    base::Table table(columns);
    for (std::size_t label = 0; label < model.class_names.size(); ++label) {
      std::vector<std::string> cells = {model.class_names[label]};
      for (const std::int64_t count : result.confusion.counts()[label])
        cells.push_back(base::format_count(count));
      table.add_row(cells);
    }
    return text + table.text();
  }

  cli::CommonOptions common_;
  ModelFlags model_;
  std::string method_, input_;
  std::optional<std::string> format_;
  predict::InputConfig config_;
  predict::PredictorConfig predictor_;
  CLI::Option* cascade_option_ = nullptr;
  std::optional<double> cascade_;
  std::optional<double> threshold_;
  int top_ = 1;
  bool keep_going_ = false;
};

}  // namespace

std::unique_ptr<cli::Command> predict_command() { return std::make_unique<PredictCommand>(); }

}  // namespace asap::asap_eval
