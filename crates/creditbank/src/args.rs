//! The command line. Help is in both languages; `--lang` chooses that of everything else.

use crate::commands::{
    account, award, balance, bench, compliance, config, convert, demo, export, framework, init, institution,
    keys, ledger, monitor, publish, rebuild, record, rules, serve, statement, submit, token, verify, witness,
};
use crate::language::Language;
use crate::output::Format;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Exit codes · 退出码:
  0  done · 完成
  1  refused, or some rows refused · 被拒绝，或有的行被拒绝
  2  usage, file or configuration · 用法、文件或配置有误
  3  a proof is false, verification failed · 证明不成立，验证失败
  4  cannot reach the ledger or enough witnesses, or read or write a file · 无法连接账本、见证者不足或无法读写文件
  5  a newer program is needed · 需要更新版本的程序

Examples · 示例:
  creditbank init --dev
  creditbank serve --dev
  creditbank --lang zh balance 00112233445566778899aabbccddeeff";

/// A verifiable credit bank · 可验证的学分银行
#[derive(Debug, Parser)]
#[command(name = "creditbank", version, after_help = AFTER_HELP, propagate_version = true)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Globals {
    /// Folder of the ledger and its keys · 账本与密钥所在目录
    #[arg(
        long,
        global = true,
        env = "CREDITBANK_HOME",
        value_name = "DIR",
        default_value = "ledger-data/local"
    )]
    pub(crate) home: PathBuf,
    /// Form of results · 输出形式
    #[arg(
        long,
        global = true,
        env = "CREDITBANK_OUTPUT",
        value_enum,
        value_name = "FORM",
        default_value = "text"
    )]
    pub(crate) output: Format,
    /// Language; by default that of LANG · 语言，缺省取自 LANG
    #[arg(long, global = true, env = "CREDITBANK_LANG", value_enum, value_name = "LANG")]
    pub(crate) lang: Option<Language>,
    /// File with the passphrase of encrypted keys; several where keys have different ones, the first is for new keys; else
    /// the variable `CREDITBANK_PASSPHRASE`, else asked for · 存放密钥口令的文件，口令不同时可给多个，第一个用于新密钥；否则取环境变量，再否则当场询问
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Vec<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the main job from an empty folder to a verified ledger · 演示：从空目录到通过验证的账本
    Demo(demo::Args),
    /// Make a ledger with its keys · 建立账本及其密钥
    Init(init::Args),
    /// Run the ledger · 运行账本服务
    Serve(serve::Args),
    /// Show the configuration that holds · 显示生效的配置
    Config(config::Args),
    /// Make and look at keys · 生成与查看密钥
    #[command(subcommand)]
    Keys(keys::Command),
    /// Admit institutions, keep their keys · 机构准入与密钥管理
    #[command(subcommand)]
    Institution(institution::Command),
    /// Publish qualification frameworks · 发布资历框架
    #[command(subcommand)]
    Framework(framework::Command),
    /// Open and keep learners' accounts · 开立与管理学习账户
    #[command(subcommand)]
    Account(account::Command),
    /// Deposit records from a spreadsheet · 从表格存入学习成果
    Submit(submit::Args),
    /// Look at records, correct, revoke and suspend them · 查看、更正、吊销、暂停学习成果
    #[command(subcommand)]
    Record(record::Command),
    /// Show an account's balance · 查询学分余额
    Balance(balance::Args),
    /// Show an account's history, verified · 查询账户明细并验证
    Statement(statement::Args),
    /// Export a stopped ledger for others to check · 导出已停止的账本供他人验证
    Export(export::Args),
    /// Check a ledger, an export, a receipt, a bundle or a balance · 验证账本、导出、回执、证明包或余额
    Verify(verify::Args),
    /// Follow a log and raise an alarm when something is wrong with it · 持续监察账本，发现问题即报警
    Monitor(monitor::Args),
    /// Write the public log as a folder for any web server · 把公开日志写成可由任意网页服务器提供的目录
    Publish(publish::Args),
    /// Rebuild the index of a stopped ledger · 重建已停止账本的索引
    Rebuild(rebuild::Args),
    /// Announce what the ledger itself goes by · 宣布账本自身遵循的协议
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Convert credit: quote, apply, decide, appeal · 学分转换：试算、申请、决定、申诉
    #[command(subcommand)]
    Convert(convert::Command),
    /// Grant awards, and take them back by order · 兑换授予，依法令冲销
    #[command(subcommand)]
    Award(award::Command),
    /// Judge periods of continuing education · 判断继续教育周期是否达标
    #[command(subcommand)]
    Compliance(compliance::Command),
    /// Check, test, explain, picture and publish rule books · 检查、测试、说明、作图与公布规则书
    #[command(subcommand)]
    Rules(rules::Command),
    /// Issue an access token of a trial ledger · 签发试用账本的访问令牌
    #[command(subcommand)]
    Token(token::Command),
    /// Cosign the checkpoints of logs as a witness · 作为见证者联署日志检查点
    #[command(subcommand)]
    Witness(witness::Command),
    /// Measure this machine · 速测
    Bench(bench::Args),
    /// Write the completions of a shell · 输出命令补全脚本
    #[command(
        after_help = "Examples · 示例:\n  creditbank completions bash > /etc/bash_completion.d/creditbank"
    )]
    Completions {
        /// The shell · 命令行外壳
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    fn leaves(command: &clap::Command, path: &str, into: &mut Vec<(String, clap::Command)>) {
        let path = format!("{path} {}", command.get_name()).trim().to_owned();
        if !command.has_subcommands() {
            into.push((path, command.clone()));
            return;
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            leaves(inner, &path, into);
        }
    }

    #[test]
    fn the_help_of_every_command_has_an_example_and_both_languages() {
        let mut commands = Vec::new();
        leaves(&Cli::command(), "", &mut commands);
        assert!(commands.len() > 25, "{}", commands.len());
        for (path, mut command) in commands {
            let help = command.render_long_help().to_string();
            assert!(help.contains(&format!("  {path}")), "{path} has no example of itself:\n{help}");
            let chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
            assert!(chinese(&command.get_about().unwrap().to_string()), "{path}");
            for argument in command.get_arguments() {
                let known = ["help", "version"].contains(&argument.get_id().as_str());
                let text = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(known || chinese(&text), "{path} {}: {text}", argument.get_id());
            }
        }
    }

    #[test]
    fn every_example_is_a_command_line_that_can_be_read() {
        let mut commands = Vec::new();
        leaves(&Cli::command(), "", &mut commands);
        let mut examples = 0;
        for (path, command) in commands {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter(|line| line.starts_with("  creditbank")) {
                let line = line.split([';', '>', '|']).next().unwrap();
                let words = line.split_whitespace().map(|word| word.trim_matches('\''));
                let read = Cli::try_parse_from(words);
                assert!(
                    read.is_ok(),
                    "{path}: {line}: {}",
                    read.err().map(|e| e.to_string()).unwrap_or_default()
                );
                examples += i32::from(read.is_ok());
            }
        }
        assert!(examples > 25);
    }
}
