#include "evaluate/matching/matcher_report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/counted.h"
#include "base/format.h"
#include "evaluate/draw/html.h"
#include "evaluate/matching/pair_picture.h"
#include "evaluate/matching/plan_picture.h"

namespace asap::evaluate {
namespace {

constexpr const char* kReportNote =
    "same: share of equal matches with the teacher over keypoints that either matches. plan L1: "
    "mean over keypoints of image 0 of the sum of differences to the teacher's assignment, its "
    "dustbin included. column error: mean over keypoints of image 1 of how far their sum is from "
    "1. Times are processor times of one pair; the layer's are from scores to assignment.";

std::string short_name(const MatchedFile& file) {
  return std::filesystem::path(file.file).stem().string();
}

std::string three_digits(double value) { return base::format_fixed(value, 3); }

bool is_classical(const MatchingRow& row) {
  return row.method == "mutual" || row.method.starts_with("ratio:") ||
         row.method.starts_with("assignment:");
}

/// Whether it is a network of --also.
bool is_other_network(const MatchingRow& row) {
  return !is_classical(row) && row.method != "network" && row.method != "teacher" &&
         !row.method.starts_with("sinkhorn:") && !row.method.starts_with("compiled");
}

const MatchingRow* find_row(const MatchedFile& file, const std::string& method) {
  const auto row = std::ranges::find(file.rows, method, &MatchingRow::method);
  return row == file.rows.end() ? nullptr : &*row;
}

/// "the network's F1 is .811, .028 above ratio:0.8 (.783)"
std::string network_beside(const MatchingRow& network, const MatchingRow& other,
                           const std::string& what) {
  const double difference = network.counts.f1() - other.counts.f1();
  if (three_digits(network.counts.f1()) == three_digits(other.counts.f1()))
    return "as good as " + what;
  return three_digits(std::abs(difference)) + (difference < 0 ? " below " : " above ") + what +
         " (" + three_digits(other.counts.f1()) + ")";
}

std::string network_sentence(const MatchedFile& file, const MatchingRow& network) {
  std::string text =
      "On " + short_name(file) + " the network's F1 is " + three_digits(network.counts.f1());
  const MatchingRow* best = nullptr;
  for (const MatchingRow& row : file.rows)
    if (is_classical(row) && (!best || row.counts.f1() > best->counts.f1())) best = &row;
  if (best)
    text += ", " + network_beside(network, *best, "the best classical method, " + best->method);
  for (const MatchingRow& row : file.rows)
    if (is_other_network(row)) text += ", " + network_beside(network, row, row.method);
  return text + ".";
}

/// A cut loop that is at least as near to the teacher in no more time; null without one.
const MatchingRow* better_loop(const MatchedFile& file, const MatchingRow& compiled) {
  for (const MatchingRow& row : file.rows)
    if (row.method.starts_with("sinkhorn:") && row.plan_l1 <= compiled.plan_l1 &&
        row.layer_milliseconds <= compiled.layer_milliseconds)
      return &row;
  return nullptr;
}

std::string compiled_sentence(const MatchedFile& file, const MatchingRow& row,
                              const MatchingRow& teacher) {
  std::string text = "On " + short_name(file) + ", " + row.method + " makes " +
                     base::format_fixed(100 * row.same, 1) + " % of the teacher's matches in " +
                     base::format_fixed(row.layer_milliseconds / teacher.layer_milliseconds, 2) +
                     " of its layer's time";
  if (row.counts.truth > 0)
    text +=
        ", F1 " + three_digits(row.counts.f1()) + " against " + three_digits(teacher.counts.f1());
  text += ".";
  if (const MatchingRow* loop = better_loop(file, row))
    text += " It does not pay here: " + loop->method + " is as near in no more time.";
  return text;
}

std::string number_or_dash(double value, int digits) {
  return std::isnan(value) ? "-" : base::format_fixed(value, digits);
}

std::string rows_table(const MatchedFile& file) {
  std::string rows =
      html_row("th", {"method", "precision", "recall", "F1", "same", "plan L1", "column error",
                      "kept a row", "dropped", "iterations", "layer, ms", "ms"});
  for (const MatchingRow& row : file.rows) {
    const bool judged = row.counts.truth > 0;
    const auto score = [&](double value) { return judged ? three_digits(value) : "-"; };
    rows += html_row(
        "td", {row.method, score(row.counts.precision()), score(row.counts.recall()),
               score(row.counts.f1()), three_digits(row.same), number_or_dash(row.plan_l1, 4),
               number_or_dash(row.column_error, 4), number_or_dash(row.entries_per_row, 1),
               number_or_dash(row.dropped_mass, 4), number_or_dash(row.polish_iterations, 1),
               number_or_dash(row.layer_milliseconds, 2), base::format_fixed(row.milliseconds, 1)});
  }
  return html_section(short_name(file) + ": " + base::counted(file.pairs, "pair"),
                      html_table(rows));
}

}  // namespace

std::vector<PicturedPair> picture_pairs(const data::KeypointPairs& pairs,
                                        const infer::Matcher& network, double threshold, int count,
                                        const std::string& file) {
  std::vector<PicturedPair> pictures;
  data::KeypointSample sample;
  tensor::Arena arena;
  for (std::int64_t p = 0; p < pairs.size() && std::ssize(pictures) < count; ++p) {
    const std::int64_t n = pairs.keypoints(p, 0), m = pairs.keypoints(p, 1);
    if (n == 0 || m == 0) continue;
    arena.clear();
    const infer::MatcherScores scores = infer::score_pair(network, pairs, p, sample, arena);
    const tensor::MatrixView<float> plan = arena.matrix<float>(n + 1, m + 1);
    network.assign(scores, network.own_solver(), plan, arena);
    pictures.push_back(
        {file + ", pair " + std::to_string(p),
         pair_picture(pairs, p, infer::decode_plan(plan.block(0, 0, n, m), threshold)),
         plan_picture(plan)});
  }
  return pictures;
}

std::vector<std::string> matcher_verdict(const std::vector<MatchedFile>& files) {
  std::vector<std::string> sentences;
  for (const MatchedFile& file : files) {
    const MatchingRow *network = find_row(file, "network"), *teacher = find_row(file, "teacher");
    if (network && network->counts.truth > 0)
      sentences.push_back(network_sentence(file, *network));
    else
      sentences.push_back("On " + short_name(file) +
                          (network ? " nothing is known of true matches."
                                   : " the network as trained was not among the methods."));
    if (!teacher) continue;
    for (const MatchingRow& row : file.rows)
      if (row.method.starts_with("compiled"))
        sentences.push_back(compiled_sentence(file, row, *teacher));
  }
  return sentences;
}

std::string matcher_report_page(const MatcherReport& report) {
  std::string content = html_section("Verdict", html_list(matcher_verdict(report.files)));
  for (const MatchedFile& file : report.files) content += rows_table(file);
  content += html_paragraph(kReportNote);
  std::string figures;
  for (std::size_t k = 0; k < report.pictures.size(); ++k) {
    const PicturedPair& pair = report.pictures[k];
    const std::string number = std::to_string(k);
    figures += html_figure("pair-" + number, pair.matches,
                           pair.name +
                               ": matches of the network, right ones blue, wrong ones "
                               "orange, grey where the truth is not known.");
    figures += html_figure("plan-" + number, pair.plan,
                           pair.name +
                               ": its assignment. Keypoints of image 0 run down, of image "
                               "1 to the right; the strips are the dustbins.");
  }
  content += html_section("Pairs", figures) + html_provenance(report.commands, report.facts);
  return html_page({.title = "Matches of " + report.run,
                    .subtitle = report.model + "; the teacher has the network's scores and T = " +
                                std::to_string(report.teacher_iterations),
                    .content = content},
                   {});
}

}  // namespace asap::evaluate
