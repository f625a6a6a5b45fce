//! The phrases, in Chinese and English.

macro_rules! phrases {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// A phrase of the product.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Phrase {
            $(#[doc = $en] $name,)*
        }

        impl Phrase {
            /// Every phrase.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The phrase in Chinese and English, with its places.
            pub(super) fn pair(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => ($zh, $en),)*
                }
            }
        }
    };
}

phrases! {
    Error: "错误：{0}", "error: {0}";
    Because: "  原因：{0}", "  because: {0}";
    NoRuntime: "无法启动运行环境", "the runtime could not be started";
    NoRandomness: "操作系统没有给出随机数", "the operating system gave no random bytes";
    FileUnreadable: "无法读取 {0}", "could not read {0}";
    FileUnwritable: "无法写入 {0}", "could not write {0}";
    FileExists: "{0} 已经存在，绝不覆盖：请换一个文件名，或先把它移走", "{0} exists and is never overwritten: choose another name, or move it away first";
    FileTooLong: "{0} 超过 {1} 字节", "{0} is longer than {1} bytes";

    KeyFileNotNamed: "请用 --file，或同时用 --institution 和 --purpose", "give --file, or both --institution and --purpose";
    KeyFileTooLong: "{0} 太长，不是密钥文件", "{0} is too long to be a key file";
    KeyFileMalformed: "{0} 不是完整的密钥文件：请从备份恢复", "{0} is not a whole key file: restore it from a backup";
    KeyFileVersion: "{0} 是第 {1} 版密钥文件：请使用更新的程序", "{0} is a key file of version {1}: use a newer program";
    KeyFileOpenToOthers: "{0} 含有未加密的私钥而他人可读：请运行 chmod 600 {0}，并考虑更换密钥", "{0} holds an unencrypted key that others can read: run chmod 600 {0}, and consider another key";
    KeyFileAlgorithm: "{0} 应是 {1} 密钥，实际是 {2}", "{0} must be a key of kind {1}, is {2}";
    KeyFilePublicOnly: "{0} 只有公钥部分，不能签名", "{0} is the public half only and can't sign";
    KeyFileNoPublic: "{0} 没有公钥部分：它不是签名密钥", "{0} has no public half: it is not a signing key";
    KeyFileHalvesDiffer: "{0} 的公钥与私钥不相符：请从备份恢复", "the two halves of {0} do not belong together: restore it from a backup";
    KeyFileNotOpened: "{0} 无法解开：给出的口令都不对，或文件被改动。各密钥口令不同时，请多次给出 --passphrase-file", "{0} does not open: no passphrase that was given is the right one, or the file was changed. Where each key has its own, give --passphrase-file several times";
    KeyFileNotSealed: "密钥未能加密", "the key could not be encrypted";
    KeyWritten: "密钥已写入 {0}", "the key is in {0}";
    KeyTaken: "使用已有的密钥 {0}", "taking the key that is there, {0}";
    KeyIsPlain: "种类 {0}，未加密", "kind {0}, not encrypted";
    KeyIsEncrypted: "种类 {0}，已加密", "kind {0}, encrypted";
    KeyIsPublic: "种类 {0}，仅公钥部分", "kind {0}, public half only";
    KeyKid: "密钥标识：{0}", "key id: {0}";
    KeyPublic: "公钥：{0}", "public key: {0}";
    PassphraseFilesTooMany: "最多可给 {0} 个 --passphrase-file", "at most {0} times --passphrase-file";
    PassphraseWrong: "口令不对，请再试一次", "that is not its passphrase, try again";
    PassphraseLength: "口令应为 1 到 {0} 字节", "a passphrase has 1 to {0} bytes";
    PassphraseAsked: "{0} 的口令：", "passphrase of {0}: ";
    PassphraseNew: "为 {0} 设定口令：", "new passphrase of {0}: ";
    PassphraseAgain: "再输入一次 {0} 的口令：", "the same again for {0}: ";
    PassphrasesDiffer: "两次输入的口令不同", "the two passphrases differ";
    PassphraseNotAsked: "无法询问 {0} 的口令：请用 --passphrase-file 或环境变量 {1}", "could not ask for the passphrase of {0}: use --passphrase-file or the variable {1}";

    HomeTaken: "{0} 中已经有账本：请换一个目录（--home）", "there is a ledger in {0} already: choose another folder (--home)";
    InitFinished: "上一次被中断的 init 已补完：{0} 中的账本完整可用", "an init that was interrupted is finished: the ledger in {0} is whole";
    NoLedger: "{0} 中没有账本：请先运行 creditbank init", "there is no ledger in {0}: run creditbank init first";
    NoticeTooShort: "正式账本的公示天数不能是 {0}，至少 {1} 天", "a ledger that is not for trial can't have {0} notice days, at least {1}";
    OriginWrong: "来源名 {0} 不合适：只有试用账本以 {1} 开头", "the origin {0} does not fit: those of trial ledgers, and only those, begin with {1}";
    AuthorityTooFew: "主管方需要 {0} 把密钥签名，现有 {1} 把私钥", "the authority needs {0} keys that sign, {1} private keys are at hand";
    TrustNotMade: "无法写出信任文件", "the trust file could not be made";
    LedgerMade: "账本 {0} 已建立在 {1}", "the ledger {0} is made in {1}";
    LogIdIs: "日志标识：{0}", "log id: {0}";
    TrustIsIn: "把 {0} 交给每个需要验证的人：他们凭此认定这个账本", "give {0} to everybody who is to verify: by it they know this ledger";
    NextServe: "下一步：{0}", "next: {0}";
    DevIsForTrial: "这是试用账本，永远不能转为正式账本", "this ledger is for trial and can never become a real one";
    KeepAuthorityOffline: "请把主管方密钥离线保存，并备份 keys 目录", "keep the authority's keys offline, and back up the folder keys";

    ConfigWrong: "配置 {0} 有误", "the configuration {0} is wrong";
    NotATrial: "{0} 不是试用账本，不能用 dev 运行", "{0} is not a trial ledger and can't be run with dev";
    NotServed: "服务未能运行", "the service could not run";
    ServesReadOnly: "注意：账本只读，代码 {0}", "note: the ledger is read-only, code {0}";
    DevIssuer: "注意：试用运行。凡是能读 {0} 的人都能以任何人的身份访问。切勿用于真实数据。", "note: trial run. Whoever can read {0} can call as anybody. Never use it with real data.";
    NoIssuerKey: "没有 {0}：访问令牌只能由试用账本签发，请先运行 creditbank serve --dev", "there is no {0}: only trial ledgers issue tokens here, run creditbank serve --dev first";
    StoreNotOpened: "无法打开 {0} 中的存储：账本服务必须已停止", "the store in {0} could not be opened: the server must be stopped";
    StoreFailed: "存储出错", "the store failed";
    ProgressRebuild: "重建索引", "rebuilding";
    ProgressCompare: "比较索引", "comparing";
    RowsEqual: "索引与日志一致", "the index is what the log makes it";
    RowsDiffer: "索引与日志不一致，首个不同的键是 {0}：请运行 creditbank rebuild", "the index is not what the log makes it, first at key {0}: run creditbank rebuild";
    StoreBehind: "存储只有 {0} 条，而已签名 {1} 条：数据丢失或被回滚，请从备份恢复", "the store has {0} entries, {1} were signed: data was lost or rolled back, restore a backup";
    RowsRebuilt: "已由 {0} 条日志重建索引", "the index is rebuilt from {0} entries";

    LedgerRefused: "账本拒绝：{0}（{1}）", "the ledger refused: {0} ({1})";
    ServiceFault: "账本出错", "the ledger failed";
    Busy: "账本繁忙，请稍后再试", "the ledger is busy, try again later";
    NotReached: "无法连接账本，或账本没有答复：请检查 --url 和服务状态；重试不会重复入账", "the ledger can't be reached or does not answer: check --url and the server; sending again never enters anything twice";
    LogForked: "账本与此前见过的检查点矛盾：请保留两个检查点作为证据，并通知监管方", "the log contradicts a head that was seen before: keep both heads as evidence and tell the regulator";
    NotProved: "账本的答复未能得到证明", "what the ledger answered is not proved";
    AnotherLog: "该地址上是另一个账本，与信任文件不符", "another ledger answers there than the one that the trust file pins";
    NeedsNewer: "需要更新版本的程序才能判断", "a newer program is needed to tell";
    AnswerUnreadable: "无法读懂账本的答复", "the ledger's answer can't be read";
    NotSendable: "内容不合规范，没有提交", "this would never be accepted and was not sent";
    NotSigned: "现有密钥不能签署此声明", "the keys at hand can't sign this";
    PlanUnusable: "批次计划无法使用", "the plan of the batch can't be used";
    HeadNotKept: "无法读取或保存最近见过的检查点", "the last head seen could not be read or kept";
    TrustWrong: "信任文件 {0} 有误", "the trust file {0} is wrong";
    FileUnusable: "{0} 的内容有误", "{0} can't be used";
    NoKeyOfPurpose: "机构 {0} 没有 {1} 密钥：请放在 {2}，或用 creditbank keys generate 生成", "{0} has no {1} key: put it at {2}, or make one with creditbank keys generate";
    NoAuthorityKeys: "{0} 中没有主管方密钥：请用 --authority-key 给出", "there are no authority keys in {0}: name them with --authority-key";

    Recorded: "已入账：第 {0} 条，叶哈希 {1}，回执已验证", "recorded as entry {0}, leaf hash {1}, receipt verified";
    RecordedBefore: "此前已入账：第 {0} 条，叶哈希 {1}，回执已验证", "recorded before as entry {0}, leaf hash {1}, receipt verified";
    ReceiptKept: "回执保存在 {0}", "the receipt is in {0}";
    FrameworkPublished: "框架 {0} 第 {1} 版", "framework {0}, version {1}";
    FrameworkShown: "{0} 第 {1} 版：{2}（第 {3} 条）", "{0}, version {1}: {2} (entry {3})";
    FrameworkLevels: "等级 {0} 到 {1}，步长 {2}", "levels {0} to {1} in steps of {2}";
    InstitutionAdmitted: "机构 {0}（{1}）准入", "institution {0} ({1})";
    InstitutionNotInFile: "{1} 中没有机构 {0}", "there is no institution {0} in {1}";
    InstitutionShown: "{0} {1}；角色：{2}；第 {3} 条准入", "{0} {1}; roles: {2}; admitted in entry {3}";
    KeyActive: "在用", "active";
    KeyRetired: "第 {0} 条停用", "retired in entry {0}";
    KeyCompromised: "第 {0} 条报告泄露，自第 {1} 条起存疑", "compromised, reported in entry {0}, suspect from {1}";
    KeyAdded: "密钥 {0} 登记给 {1}", "key {0} of {1}";
    KeyRetiredNow: "密钥 {0} 自第 {1} 条停用；请更换账本目录中的密钥文件", "key {0} is retired from entry {1} on; exchange its file in the home";
    KeyReported: "密钥 {0} 已报告泄露，自第 {1} 条到第 {2} 条的使用存疑", "key {0} is reported; its use from entry {1} to {2} is suspect";
    KeyOfAnother: "密钥 {0} 属于 {1}", "the key {0} belongs to {1}";
    IdentityUnusable: "身份文件 {0} 有误", "the identity file {0} can't be used";
    AccountOpened: "账户 {0} 已开立，学习账号 {1}：请告知学习者", "account {0} is open under number {1}: tell the learner";
    AccountShown: "账户 {0}：{1}，实名 {2}", "account {0}: {1}, identity {2}";
    AccountCounts: "学习成果 {0} 项，链序号 {1}，第 {2} 条开立", "{0} records, sequence {1}, opened in entry {2}";
    RestsOnSuspectKey: "注意：依据的密钥存疑", "note: it rests on a suspect key";
    RecordShown: "成果 {0}，颁发机构 {1}：{2}，{3}", "record {0} of {1}: {2}, {3}";
    RecordFacts: "{0}，{1} 获得，账户 {2}，第 {3} 条", "{0}, awarded {1}, account {2}, entry {3}";
    RecordDetails: "名称 {0}；目录 {1}；成绩 {2}；证书 {3}", "title {0}; catalogue {1}; score {2}; certificate {3}";
    DetailsProved: "明细已按签名的承诺值验证，成果已证明在账本中", "the details are proved against the signed commitment, and the record is proved to be in the ledger";
    DetailsNotShown: "明细不对此身份开放，或已删除", "the details are not for this reader, or erased";
    RecordSupersededBy: "已由成果 {0} 替代", "superseded by record {0}";
    RecordCorrected: "成果 {0} 已由成果 {1} 替代", "record {0} is superseded by record {1}";
    CorrectionChecked: "只做了检查，没有提交", "nothing was sent, this was a check";
    NothingToCorrect: "成果 {0} 已经是这样，没有可更正的内容：请给出要更正的选项或 --file", "record {0} says so already, there is nothing to correct: give the options that change, or --file";
    ChangeWrong: "更正内容 {0}：{1}", "the change of {0}: {1}";
    ChangeNotRemovable: "每项成果都要有，不能删除", "every record has one, it can't be taken away";
    ChangeNeeds: "还需要 {0}：两者要么都有，要么都没有", "it takes {0} too: a record has both or neither";
    DetailsNeeded: "成果的明细读不到（已删除，或不对此身份开放），无法更正：更正要重新写出全部内容", "the details of the record can't be read (erased, or not for this reader), so it can't be corrected: a correction states everything anew";
    BalanceAt: "截至账本第 {0} 条、{1} 的余额（链序号 {2}）", "balance at {0} entries, as of {1} (sequence {2})";
    BalanceEmpty: "没有学习成果", "there are no records";
    BalanceSigned: "银行签名与回执已验证", "the bank's signature and the receipt are verified";
    BalanceNotSigned: "历史余额，未签名", "a past balance, not signed";
    StatementComplete: "明细连续完整，与已签名的链首相符", "the statement is without gaps up to the head that the balance names";
    StatementProved: "每一条及其内容均已证明在账本中，且首尾相连", "every entry is proved to be in the ledger with all that is shown of it, and continues the one before";
    StatementAddsUp: "各条变动之和等于余额", "what moved adds up to the balance";
    StatementAddsUpSuspect: "各条变动之和等于余额总数；其中因密钥存疑而显示为暂停或存疑的部分，以银行所述为准", "what moved adds up to the balance as a whole; which of it a suspect key makes suspended or suspect is the bank's word";
    StatementNotAddedUp: "有本版本不认识的事件，未核对合计", "there are events that this version does not know, so nothing was added up";
    StatementSumsDiffer: "各条变动之和不等于余额：请保留已签名的余额（balance --keep）和这份明细作为证据", "what moved does not add up to the balance: keep the signed balance (balance --keep) and this statement as evidence";
    StatementHasGap: "明细不完整：缺第 {0} 项，应有 {1} 项。请保留已签名的余额作为证据", "the statement is not complete: number {0} of {1} is missing. Keep the signed balance as evidence";
    EntryNotProved: "第 {0} 条未能得到证明，或账本所列与证明不符：请保留已签名的余额作为证据", "entry {0} is not proved, or was listed other than the log proves it: keep the signed balance as evidence";
    EventOpened: "开户", "account opened";
    EventStatus: "账户状态变为{0}", "account is {0} from here on";
    EventDeposited: "存入成果 {0}", "record {0} deposited";
    EventRecordStatus: "成果 {0} 变为{1}", "record {0} is {1} from here on";
    EventNewer: "本版本不认识的事件 {0}", "an event that this version does not know: {0}";

    ProgressVerify: "验证", "verifying";
    ProgressSubmit: "提交", "submitting";
    VerifiedEntries: "已验证 {0} / {1} 条，声明 {2} 份，签名 {3} 个", "{0} of {1} entries, {2} statements, {3} signatures";
    VerifiedDecisions: "重演决定 {0} 条，仅查结构 {1} 条，仅查余额 {2} 条", "{0} decisions replayed, {1} structure only (no mandate), {2} balance only (erased)";
    VerifiedRoot: "根：{0}", "root: {0}";
    LogHolds: "验证通过", "the log holds";
    LogBroken: "验证失败：首个问题在第 {0} 条，{1}：{2}（{3}）", "BROKEN: first at entry {0}, {1}: {2} ({3})";
    LogNeedsNewer: "第 {0} 条起需要更新版本的程序：{1}", "from entry {0} on a newer program is needed: {1}";
    HighWaterUnreadable: "最近签名的检查点无法读取或不属于此账本", "the last signed head can't be read or is of another log";
    ScratchFailed: "临时文件出错：请检查磁盘空间，或用 --scratch 换一个目录", "a scratch file failed: look at the disk's space, or choose another folder with --scratch";
    KeyringNotOpened: "无法用主目录中的根密钥打开 {0} 的密钥环", "the keyring of {0} does not open under the root key of the home";
    ExportNotEmpty: "{0} 不为空，也不是未完成的导出：请换一个空目录", "{0} is not empty and not an unfinished export: choose an empty folder";
    ExportOfAnother: "{0} 中未完成的导出与本次不同（账本、条数或是否含明细）：请换一个空目录", "the unfinished export in {0} is another one (of another log, size or with other details): choose an empty folder";
    ExportGoesOn: "继续 {0} 中未完成的导出", "going on with the unfinished export in {0}";
    ExportKeyWrong: "{0} 不是信任文件所固定的声明密钥，不能签署清单", "{0} is not a statement key that the trust file pins, and can't sign the manifest";
    ExportHeadWrong: "存储中前 {0} 条与已签名的检查点不符：请先运行 creditbank verify", "the first {0} entries of the store are not those of the signed checkpoint: run creditbank verify";
    ExportDetailsMissing: "第 {0} 条有 {1} 份明细无法解开，不能导出明细", "{1} secret parts of entry {0} do not open, so details can't be exported";
    ExportEntryTooLong: "第 {0} 条无法写入导出文件", "entry {0} does not fit into a file of an export";
    ExportMade: "已导出 {0} 条到 {1}：{2} 个文件，{3} 字节", "{0} entries are exported to {1}: {2} files, {3} bytes";
    ProgressExport: "导出", "exporting";
    PartsNotShown: "条目内容没有给出：需要审计令牌", "the entries' parts were not shown: an auditor's token is needed";
    StoreDamaged: "存储损坏，无法读到第 {0} 条", "the store is damaged: entry {0} can't be read";
    RowsUnreadable: "索引无法与日志比较", "the index can't be compared with the log";
    ReceiptHolds: "回执有效：第 {0} 条在账本 {2} 的前 {1} 条之中", "the receipt holds: entry {0} is among the first {1} of the log {2}";
    ReceiptEntry: "记录时间 {0}，签署者 {1}，声明编号 {2}", "recorded {0} by {1} as statement {2}";
    ReceiptOpens: "公开链接 {0} 个、声明 {1} 个、事件 {2} 个", "it opens {0} links, {1} statements, {2} events";
    ReceiptFalse: "回执不成立", "the receipt proves nothing";
    BundleKept: "证明包保存在 {0}", "the bundle is in {0}";
    BundleHolds: "证明包属实：由账本 {0} 签出，一个字节也没有改动", "the bundle is genuine: the ledger {0} signed it, and not one byte was changed";
    BundleRecord: "{0}（{1}）颁发：{2}，{3}，{4} 获得", "issued by {0} ({1}): {2}, {3}, awarded {4}";
    BundleValidUntil: "有效期至 {0}", "valid until {0}";
    BundleClosed: "明细没有公开：名称与成绩不在证明包中", "the details are not disclosed: title and mark are not in the bundle";
    BundleSigned: "{0} 以自己的密钥签署，该密钥当时有效、没有存疑；其密钥历史共 {1} 条，自主管方准入起全部验证", "{0} signed it with a key of its own that was in force and is not in doubt; its whole key history of {1} entries was checked, from its admission by the authority on";
    BundleBatch: "以第 {0} 条批次清单一次签署", "it was signed together with others by the manifest in entry {0}";
    BundleLogged: "已证明在账本中：第 {0} 条，记录于 {1}", "it is proved to be in the ledger: entry {0}, recorded {1}";
    BundleInForce: "截至 {0}（账本共 {1} 条）有效，有银行签名", "in force as of {0} ({1} entries in the ledger), signed by the bank";
    BundleNotInForce: "注意：截至 {0}（账本共 {1} 条）不再有效（{2}），有银行签名：请勿据此认可", "NOTE: not in force as of {0} ({1} entries in the ledger): {2}, signed by the bank. Do not rely on the record";
    BundleNotProved: "以下各点不能由此证明：", "not proved by it:";
    BundleLater: "  {0} 之后的变化：可能已被吊销或更正，可请持有人取一份新的证明包", "  what came after {0}: it may have been revoked or corrected, ask the bearer for a newer bundle";
    BundlePerson: "  持有人是谁：账户 {0} 不含姓名", "  who the bearer is: the account {0} carries no name";
    BundleBroken: "证明包不成立，{0}：{1}（{2}）", "BROKEN: {0}: {1} ({2})";
    BalanceHolds: "余额有效：账户 {0}，账本 {1}", "the balance holds: account {0} of the log {1}";
    BalanceRestsOn: "依据该账户的最后一条：第 {0} 条，记录时间 {1}", "it rests on the account's last entry: number {0}, recorded {1}";
    BalanceFalse: "保存的余额不成立", "the balance that was kept proves nothing";
    NotABalance: "{0} 不是由 balance --keep 保存的余额", "{0} is not a balance that balance --keep has written";
    VerifiedCores: "已按条目核心验证 {2} 的 {0} 条，读取分片与条目包 {1} 个", "{0} entries of {2} checked by their cores, {1} tiles and bundles read";
    CoresHold: "公开部分验证通过：签名、树、次序与时间", "what is public holds: signature, tree, order and time";
    CoresOnly: "只查了人人可见的部分：签名依据与决定须以审计身份验证（--url 加 --token-file）", "only what everybody can see was checked: evidence and decisions need an auditor's parts (--url with --token-file)";
    ProgressPublish: "发布", "publishing";
    Published: "{1} 的前 {0} 条已发布在 {2}", "the first {0} entries of {1} are published in {2}";
    PublishedFiles: "写入文件 {0} 个，原有 {1} 个", "{0} files written, {1} were there";
    PublishContradicts: "来源有 {0} 条，不能接续此目录已发布的 {1} 条：没有发布，请保留两者作为证据", "the source, of {0} entries, does not continue the {1} that are published here: nothing was published, keep both as evidence";
    CheckpointFalse: "检查点没有信任文件所列密钥的有效签名", "the checkpoint is not one that a key of the trust file has signed";
    PublicLogFalse: "公开日志的文件与已签名的检查点不符", "the files of the public log are not those under its signed head";
    PublicLogUnread: "无法读取公开日志：请检查网络，并确认 --url 是公开日志的地址而非服务的地址", "the public log can't be read: check the network, and that --url is the address of the public log, not of the service";
    FolderTaken: "另一个进程正在写 {0}", "another process writes {0} at present";
    NotAReceipt: "{0} 不是回执", "{0} is not a receipt";
    Witnessed: "见证策略已满足：{0} 位见证者联署，时间 {1}", "the witness policy is met: cosigned by {0}, as of {1}";
    WitnessesNotPinned: "回执自称有见证联署，而信任文件没有写明见证策略：不予采信", "the receipt claims cosignatures, and the trust file pins no witness policy: they do not count";
    NoPolicyToWaitFor: "已入账，但信任文件没有写明见证策略，无从等待", "recorded, but the trust file pins no witness policy, so there is nothing to wait for";
    NotWitnessedInTime: "已入账，但 {0} 秒内没有足够的见证者联署", "recorded, but not cosigned by enough witnesses within {0} s";
    Unwitnessed: "没有见证签名：整机回滚只有保留回执的人能发现", "no witness has cosigned: a rollback of the whole machine is caught only by those who keep receipts";

    WitnessTaken: "{0} 中已经有见证者：请换一个目录（--dir）", "there is a witness in {0} already: choose another folder (--dir)";
    WitnessNotMade: "无法在 {0} 建立见证者的状态", "the witness's state could not be made in {0}";
    WitnessMade: "见证者 {0} 已建立在 {1}", "the witness {0} is made in {1}";
    WitnessKeyIs: "见证公钥：{0}", "witness key: {0}";
    WitnessPolicyLine: "供策略文件使用：{0}", "for policies: {0}";
    WitnessNameWrong: "见证者名称 {0} 不合适：不得为空，不得含空格或加号", "{0} can't be a witness's name: it is not empty and has no space or plus sign";
    WitnessNoLogNamed: "请用 --trust、--policy，或 --origin 与 --key 指明日志", "name the log by --trust, by --policy, or by --origin and --key";
    WitnessLogKeyWrong: "{0} 不是日志的验证密钥", "{0} is not a verifier key of a log";
    WitnessLogAdded: "日志 {0} 已加入清单", "the log {0} is in the list";
    WitnessRestart: "重启见证服务后生效", "it holds when the witness is started anew";
    WitnessUnusable: "见证者无法使用", "the witness can't be used";
    WitnessNotServed: "无法在 {0} 提供见证服务", "the witness could not be served at {0}";
    WitnessServes: "联署 {0} 个日志，公钥 {1}", "cosigning {0} logs with {1}";
    WitnessRuns: "见证服务正在运行，不显示其状态", "the witness runs, so its state is not shown";
    WitnessHasEvidence: "日志 {0} 曾对同一长度签署两个不同的日志头：用 --output json 取出证据", "the log {0} has signed two heads of one size: --output json has the other one as evidence";
    NoWitness: "{0} 中没有见证者：请先运行 creditbank witness init", "there is no witness in {0}: run creditbank witness init first";
    PolicyWrong: "见证策略 {0} 有误", "the witness policy {0} is wrong";
    PolicyNoLogs: "策略 {0} 没有列出日志", "the policy {0} lists no logs";

    ProgressRead: "读表", "reading";
    ProgressLook: "查重", "looking";
    ProgressResolve: "查找账户", "finding accounts";
    ProgressOpen: "开户", "opening accounts";
    SpreadsheetUnusable: "无法读取表格 {0}：第 {1} 行第 {2} 列：{3}", "the spreadsheet {0} can't be read at line {1}, column {2}: {3}";
    MappingDoesNotFit: "映射与表格 {0} 不符：表格缺少列 {1}。表格有 {2}（按 {3} 读取）。请改正表头，或在映射中写表格自己的列名", "the mapping does not fit the spreadsheet {0}: these columns are missing: {1}. It has {2} (read as {3}). Correct the header, or name the columns in the mapping as the spreadsheet does";
    RowsKeyMade: "注意：已生成 {0}。{1} 的成果编号都由它推出：请立即与密钥一同备份，且只保留这一把；遗失后，同一表格再次导入会重复入账", "note: made {0}. All record ids of {1} come from it: back it up with the keys now, and have one only; without it a second import of a spreadsheet gives its credits twice";
    RowsKeyMissing: "缺少 {0}：成果编号由这把密钥推出，换一把密钥，同样的行就会变成新的成果、重复入账。如果 {1} 导入过表格，请从备份恢复该文件；如果这是它的首次导入，请加 --new-row-key", "{0} is missing: record ids come from this key, and with another one the same rows become other records, credits given twice. If a spreadsheet of {1} was ever imported, restore the file from a backup; if this is its first import, add --new-row-key";
    RowsKeyThere: "{0} 已经存在：请去掉 --new-row-key，继续使用它；换一把密钥会使同样的行重复入账", "{0} is there: leave out --new-row-key and go on with it; with another key the same rows become other records, credits given twice";
    RowsUsedUnusable: "{0} 的内容有误：它记录了导入用过的映射键，请从备份恢复", "{0} can't be used: it keeps the mapping keys that imports have used; restore it from a backup";
    ScopeNew: "映射的 [key] 是 {0}，而 {1} 此前只用过 {2}：同样的行会变成新的成果、重复入账。如果这类表格导入过，请改回映射的 [key]；如果是另一类表格，请加 --new-scope", "the mapping has the [key] {0}, and {1} has only used {2} so far: the same rows would become other records, credits given twice. If this kind of spreadsheet was imported before, put the [key] of the mapping back; if it is another kind, add --new-scope";
    ScopeKept: "映射的 [key] {0} 已记入 {1}，今后以它识别同样的行", "the [key] {0} of the mapping is kept in {1}: by it the same rows are known again";
    RowsRead: "成果 {0} 行，不计学分 {1} 行，错误 {2} 行（{3}）", "{0} rows are records, {1} not credit, {2} bad ({3})";
    BadRow: "第 {0} 行 {1}：{2}", "line {0} {1}: {2}";
    MoreBadRows: "另有 {0} 行错误，见结果文件", "{0} more bad rows are in the results file";
    NothingSent: "有错误行，没有提交任何内容。请改正表格，或加 --skip-bad。结果见 {0}", "some rows are bad, so nothing was sent. Correct the spreadsheet, or add --skip-bad. The results are in {0}";
    OnlyChecked: "只做了检查，没有提交。结果见 {0}", "rows were only checked, nothing was sent. The results are in {0}";
    RunAgain: "没有完成。已知结果见 {0}；再次运行同一命令即可继续，不会重复入账", "not finished. What is known is in {0}; run the same command again to go on, nothing is entered twice";
    ResumeUnusable: "续传文件 {0} 已损坏：若确认没有未完成的提交，请将其删除", "the resume file {0} is damaged: delete it if no submission is unfinished";
    ResumeOfAnother: "续传文件 {0} 属于另一次提交：请先完成那一次，或换一个 --results", "the resume file {0} belongs to another submission: finish that first, or choose another --results";
    GoesOn: "继续上次未完成的批次，{0} 行", "going on with the unfinished batch of {0} records";
    GoesOnOpening: "继续上次未完成的开户批次，{0} 个", "going on with the unfinished batch of {0} openings";
    BatchLeft: "上次的批次已不能继续（{0}），改为逐行核对", "the unfinished batch can't be gone on with ({0}); its rows are asked for one by one";
    OpeningsRefused: "{0} 个开户被拒绝：{1}", "{0} openings were refused: {1}";
    AccountsOpened: "已开立 {0} 个账户，学习账号在 {1}：请告知学习者并妥善保管", "{0} accounts are open, their numbers are in {1}: tell the learners, and keep it safe";
    RowAlready: "此前已入账", "it was recorded before";
    RowNoAccount: "学号 {0} 没有账户：请先开户，或加 --open-accounts", "student number {0} has no account: open one, or add --open-accounts";
    RowChanged: "本行与第 {0} 条中的成果不同：如需更正，请用 creditbank record correct", "the row says something else than the record in entry {0}: use creditbank record correct";
    RowRepeated: "与第 {0} 行的键相同：删除其中一行，或在映射的键中加列", "it has the key of line {0}: remove one of the two, or add a column to the key";
    RowUnsendable: "字段 {0}：{1}", "field {0}: {1}";
    SubmitSummary: "接受 {0}，已有 {1}，拒绝 {2}，不计学分 {3}，错误 {4}", "{0} accepted, {1} already there, {2} refused, {3} not credit, {4} bad";
    ResultsIn: "逐行结果见 {0}", "the results of each row are in {0}";

    MonitorLooked: "{0}  共 {1} 条，新增 {2} 条，根 {3}，未解除的报警 {4} 项", "{0}  {1} entries, {2} new, root {3}, {4} alarms stand";
    MonitorAlarm: "报警 {0}：{1}", "ALARM {0}: {1}";
    MonitorCleared: "解除 {0}", "cleared: {0}";
    MonitorNotKept: "监察的状态无法读写", "what the monitor remembers could not be read or written";
    MonitorNotDelivered: "{0} 条报警尚未送达，下次再送（{1}）", "{0} alarms are not delivered and will be posted again ({1})";
    MonitorQueueFull: "{0} 条报警送不出去，队列已满：请检查 --webhook 的接收方", "{0} alarms can't be delivered and the queue is full: look at who listens at --webhook";
    StatementNotKept: "已签名的声明未能存下，因此没有发送", "the signed statement could not be kept, so it was not sent";
    StatementsTooMany: "{0} 中的文件超过 {1} 个：请移走已入账的声明", "{0} has more than {1} files: move statements away that are in the log";
    NotAStatement: "{0} 不是本账本的已签名声明，未予监察", "{0} is not a signed statement of this log, and is not looked after";
    StatementNeedsToken: "{0} 所载声明的条目并非人人可见：需要审计令牌才能监察", "the entry of the statement in {0} is not for everybody: it takes an auditor's token to look after it";
    NotEvidence: "{0} 不是 monitor 写出的证据文件", "{0} is not a file of evidence that monitor has written";
    EvidenceFalse: "证据不成立", "the evidence shows nothing";
    EvidenceHolds: "证据成立：账本 {0} 签署了两种互相矛盾的历史", "the evidence holds: the log {0} has signed two histories that contradict each other";
    EvidenceOneHistory: "两个检查点均由账本 {0} 签署，同属一种历史：较小的后来才出示，这一点由出示者作证", "both heads are signed by the log {0} and are of one history: that the smaller one was shown later is the word of who kept them";
    EvidenceOpen: "两个检查点均由账本 {0} 签署，但文件不能证明二者矛盾", "both heads are signed by the log {0}, but the file does not prove that they contradict each other";
    EvidenceHead: "  {0} 条，根 {1}，{2} 见于 {3}", "  {0} entries, root {1}, seen {2} at {3}";
    RulesBook: "{0}（{1} 第 {2} 版，{3} 条规则，SHA-256 {4}）", "{0} ({1} version {2}, {3} rules, SHA-256 {4})";
    RulesCaseDiffers: "  {0}：应为 {1}，实得 {2}", "  {0}: expected {1}, got {2}";
    RulesCaseFailed: "算例 {0} 不符：", "case {0} fails:";
    RulesCasesMissing: "{0} 旁没有算例：请把算例写在规则书旁的 cases.toml", "there are no worked cases beside {0}: write them to cases.toml beside the book";
    RulesChecked: "检查完毕：{0} 项错误，{1} 项提醒", "checked: {0} errors, {1} warnings";
    RulesError: "错误", "error";
    RulesFinding: "{0}: {1} {2}（{3}）：{4}；怎么办：{5}", "{0}: {1} {2} ({3}): {4}; what to do: {5}";
    RulesNoSuchCase: "规则书旁的算例中没有转换算例 {0}", "the worked cases beside the book have no conversion {0}";
    RulesNotUsed: "未认定的成果与用法：", "records and uses that were not taken:";
    RulesOpen: "尚缺：", "still open:";
    RulesPageWritten: "网页已写入 {0}", "the page is in {0}";
    RulesSame: "两版内容相同", "the two versions say the same";
    RulesTested: "算例 {0} 个：通过 {1}，不符 {2}", "{0} cases: {1} passed, {2} failed";
    RulesUnanswerable: "按规则书无法回答该提问：请按原因改正提问", "the question can't be answered under the book: correct it as the cause says";
    RulesWarning: "提醒", "warning";

    ColumnAccount: "账户", "account";
    ColumnActiveFrom: "启用条目", "active from";
    ColumnAfter: "更正后", "after";
    ColumnAmount: "学分", "amount";
    ColumnAwarded: "获得日期", "awarded";
    ColumnBefore: "更正前", "before";
    ColumnBucket: "状态", "bucket";
    ColumnCredits: "学分", "credits";
    ColumnEvent: "事项", "event";
    ColumnField: "字段", "field";
    ColumnHours: "学时", "hours";
    ColumnIndex: "条目", "entry";
    ColumnInstitution: "机构", "institution";
    ColumnIssuer: "颁发机构", "issuer";
    ColumnKid: "密钥", "key";
    ColumnKind: "类别", "kind";
    ColumnLabel: "名称", "label";
    ColumnMoved: "变动", "moved";
    ColumnName: "名称", "name";
    ColumnNotional: "每学分分钟", "minutes per credit";
    ColumnNumber: "号码", "number";
    ColumnPurposes: "用途", "purposes";
    ColumnOrigin: "来源名", "origin";
    ColumnReason: "原因", "reason";
    ColumnRecord: "成果", "record";
    ColumnRecords: "项数", "records";
    ColumnRoles: "角色", "roles";
    ColumnRows: "行数", "rows";
    ColumnScheme: "制式", "scheme";
    ColumnSequence: "序号", "number";
    ColumnStatus: "状态", "status";
    ColumnStep: "步长", "step";
    ColumnTime: "时间", "time";
    ColumnTitle: "名称", "title";
}
