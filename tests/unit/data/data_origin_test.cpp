#include "data/data_origin.h"

#include <cstdlib>

#include <doctest/doctest.h>

#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "io/json.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "support/text_folder.h"
#include "text/text_codec.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// A run on the texts of a folder, as far as its data are concerned.
struct TextRun {
  TemporaryFolder folder;
  TrainConfig config;
  RunFolder run{folder / "run"};

  TextRun() {
    write_text_folder(folder / "data", 24);
    config.model.kind = ModelKind::text;
    config.model.classes = 2;
    config.data.kind = DataKind::text;
    config.data.path = folder / "data";
    const Dataset train = load_dataset(config.data, Split::train);
    config.model = fit_model_to_data(config.model, train, "test");
    fs::create_directories(run.path());
    write_json(run.config(), to_json(config));
    asap::text::write_text_codec(*train.codec, run.text());
    remember_data(run, train, load_dataset(config.data, Split::test, train.codec));
  }
  Dataset load(Split split) const { return load_dataset_for(run, config.data, split); }
};

}  // namespace

TEST_CASE("a run remembers the absolute folder and the fingerprints of its data") {
  const TextRun texts;
  const Json json = read_json(texts.run.data());
  CHECK(json["train"]["folder"] == fs::canonical(texts.folder / "data").string());
  CHECK(json["train"]["fingerprint"] == texts.load(Split::train).fingerprint);
  CHECK(json["test"]["fingerprint"] == texts.load(Split::test).fingerprint);
}

TEST_CASE("a run remembers the names of its classes, and an older one none") {
  const TextRun texts;
  CHECK(remembered_class_names(texts.run) == std::vector<std::string>{"bad", "good"});
  Json json = read_json(texts.run.data());
  json.erase("class_names");
  write_json(texts.run.data(), json);
  CHECK(remembered_class_names(texts.run).empty());
  fs::remove(texts.run.data());
  CHECK(remembered_class_names(texts.run).empty());
}

TEST_CASE("data that are missing are looked for where the run was trained") {
  TextRun texts;
  const std::string place = fs::canonical(texts.folder / "data").string();
  TextRun elsewhere;
  elsewhere.config.data.path = elsewhere.folder / "nowhere";
  const std::string there = fs::canonical(elsewhere.folder / "data").string();
  expect_error<DataError>([&] { elsewhere.load(Split::test); },
                          {("--set data.path=" + there).c_str()});
  fs::remove_all(texts.folder / "data");
  expect_error<DataError>(
      [&] { texts.load(Split::test); },
      {("the run was trained on '" + place + "'").c_str(), "not there now", "ASAP_DATA_DIR"});
}

TEST_CASE("other data under the run's own configuration are refused, asked-for ones are not") {
  TextRun texts;
  write_text_folder(texts.folder / "other", 36);
  DataConfig asked = texts.config.data;
  asked.path = texts.folder / "other";
  CHECK(load_dataset_for(texts.run, asked, Split::test).size() == 18);

  write_text_folder(texts.folder / "data", 36);
  expect_error<DataError>([&] { texts.load(Split::test); },
                          {"have changed since the run", "data.json"});
  fs::remove(texts.run.data());  // as runs of earlier versions
  CHECK(texts.load(Split::test).size() == 18);
}

TEST_CASE("data found in another environment are not taken for those of the run") {
  TextRun texts;
  texts.config.data.path.clear();
  texts.config.data.name = "notes";
  write_json(texts.run.config(), to_json(texts.config));
  write_text_folder(texts.folder / "elsewhere" / "notes", 36);
  ::setenv("ASAP_DATA_DIR", (texts.folder / "elsewhere").c_str(), 1);
  expect_error<DataError>([&] { texts.load(Split::train); },
                          {"train data in", "are not those of the run", "the run was trained on"});
  ::unsetenv("ASAP_DATA_DIR");
}

TEST_CASE("drawn data leave nothing to remember") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "run");
  DataConfig config;
  config.kind = DataKind::majority;
  config.majority.examples = config.majority.test_examples = 4;
  const RunFolder run(folder / "run");
  remember_data(run, load_dataset(config, Split::train), load_dataset(config, Split::test));
  CHECK_FALSE(fs::exists(run.data()));
}
