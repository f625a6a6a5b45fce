//! `creditbank config`: the configuration that a server would run with.

use super::Context;
use crate::ending::{CommandError, Ending, Exit, unreadable};
use crate::language::Phrase;
use crate::output::Output;
use credit_service::config::{Config, ENV_OTHERS, ENV_PREFIX};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Variables with the product's prefix that this program reads itself; they are no keys of the configuration.
const OWN_VARIABLES: [&str; 6] = [
    "CREDITBANK_HOME",
    "CREDITBANK_LANG",
    "CREDITBANK_OUTPUT",
    "CREDITBANK_PASSPHRASE",
    "CREDITBANK_TOKEN",
    "CREDITBANK_URL",
];
/// Variables that the project's tests and gate set for their own use.
const TEST_VARIABLES: [&str; 4] =
    ["CREDITBANK_CI_TOOLS", "CREDITBANK_NODE_PATH", "CREDITBANK_PYTHON", "CREDITBANK_TLOG_PYTHON"];
/// The variable that names the configuration file.
const CONFIG_VARIABLE: &str = "CREDITBANK_CONFIG";

/// Shows the configuration.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples · 示例:\n  creditbank config\n  creditbank config --set queue_max=1000")]
pub(crate) struct Args {
    /// The configuration · 配置
    #[command(flatten)]
    flags: Flags,
}

/// Flags of the configuration: they go before the environment, and that before the file.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Configuration file; by default creditbank.toml in the home · 配置文件，缺省为账本目录中的 creditbank.toml
    #[arg(long, value_name = "FILE", env = CONFIG_VARIABLE)]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the running ledger; by default ledger/ in the home · 账本数据目录
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address of the service; port 0 takes a free one · 服务地址，端口 0 表示任取空闲端口
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address of the metrics · 监控指标地址
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Address of the public log; empty for none · 公开日志地址，留空表示不提供
    #[arg(long, value_name = "ADDR")]
    pub(crate) log_listen: Option<String>,
    /// Set any key of the configuration · 设置任一配置项
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| "KEY=VALUE".to_owned())
}

/// Prints the configuration that holds, as TOML or JSON.
pub(crate) fn run(context: &mut Context, args: &Args) -> Ending {
    let config = effective(context, &args.flags, Vec::new())?;
    match context.output.format {
        crate::output::Format::Json => context.output.json(&config),
        crate::output::Format::Text => Output::document(&config.effective()),
    }
    Ok(Exit::Done)
}

/// The configuration that holds: `extra` over flags over environment over file over defaults.
pub(super) fn effective(
    context: &Context,
    flags: &Flags,
    extra: Vec<(String, String)>,
) -> Result<Config, CommandError> {
    let path = flags.config.clone().unwrap_or_else(|| context.home.config());
    let file = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && flags.config.is_none() => None,
        Err(cause) => return Err(unreadable(&path)(cause)),
    };
    let ours = |name: &str| {
        [OWN_VARIABLES.as_slice(), &TEST_VARIABLES, &ENV_OTHERS].iter().any(|list| list.contains(&name))
    };
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(ENV_PREFIX) && !ours(name))
        .collect();
    let mut overrides: Vec<(String, String)> = Vec::new();
    let named = file.as_deref().is_some_and(|text| {
        toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key("data_dir"))
    }) || environment.iter().any(|(name, _)| name == "CREDITBANK_DATA_DIR");
    let data_dir = flags.data_dir.clone().or_else(|| (!named).then(|| context.home.ledger()));
    let shown = |path: PathBuf| path.display().to_string();
    overrides.extend(data_dir.map(|path| ("data_dir".to_owned(), shown(path))));
    overrides.extend(flags.listen.map(|address| ("listen".to_owned(), address.to_string())));
    overrides.extend(flags.metrics_listen.map(|address| ("metrics_listen".to_owned(), address.to_string())));
    overrides.extend(flags.log_listen.clone().map(|address| ("log_listen".to_owned(), address)));
    overrides.extend(flags.set.iter().cloned());
    overrides.extend(extra);
    Config::load(file.as_deref(), environment.into_iter(), overrides)
        .map_err(|cause| CommandError::usage(Phrase::ConfigWrong, &[&path.display()]).because(cause))
}
