#include "evaluate/report/drift_report.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/temporary_folder.h"

namespace asap::test {
namespace {

evaluate::Drift small_drift() {
  evaluate::Drift drift;
  drift.examples = 3;
  drift.level = 1e-3;
  drift.heads = {{0, 0, {0.1F, 0.2F}, {0.1F, 0.15F, 0.2F}, 0.2, 1, 0, false},
                 {0, 1, {0.1F, 0.2F}, {0.7F, 0.8F, 0.9F}, 1, 1e-5, 1, true}};
  return drift;
}

TEST_CASE("The verdict comes first in the table, in the summary and on the page") {
  const evaluate::Drift drift = small_drift();
  const std::string verdict = "Shifted: layer 0, head 1 (median column error 0.8 instead of 0.1).";
  CHECK(evaluate::drift_words(drift)[0] == verdict);
  CHECK(evaluate::drift_table(drift).starts_with(verdict));
  const io::Json summary = evaluate::drift_summary(drift, {});
  CHECK(summary["verdict"][0] == verdict);
  CHECK(summary["shifted"] == true);
  CHECK(summary["heads"][1]["shifted"] == true);
  CHECK(summary["heads"][0]["probability"] == 1);
  const std::string page = evaluate::drift_report(drift, {}, {});
  CHECK(page.find("layer 0, head 1 (median") < page.find("<figure"));
}

TEST_CASE("Too few examples for any verdict are said to be, not to look alike") {
  evaluate::Drift drift = small_drift();
  drift.heads[1] = drift.heads[0];
  CHECK_FALSE(drift.can_tell());
  CHECK(evaluate::drift_words(drift)[0].starts_with("Too few examples to tell"));
  CHECK(evaluate::drift_summary(drift, {})["enough_examples"] == false);
  for (evaluate::HeadDrift& head : drift.heads) head.calibration.assign(30, 0.1F);
  for (evaluate::HeadDrift& head : drift.heads) head.live.assign(30, 0.1F);
  CHECK(drift.can_tell());
  CHECK(evaluate::drift_words(drift)[0] == "Inputs look like those of the calibration.");
}

TEST_CASE("The report and its picture are written") {
  const TemporaryFolder folder;
  evaluate::write_drift(folder.path(), small_drift(), {}, {});
  CHECK(base::read_file(folder.path() / "report.html").find("Every head") != std::string::npos);
  CHECK(base::read_file(folder.path() / "column_errors.svg").find("<svg") != std::string::npos);
}

}  // namespace
}  // namespace asap::test
